-- The charge.

-- The hash of each subject: its stored counters, if it exists, and until when it lives.
local stored_1, exists_1, lives_1, stored_2, exists_2, lives_2
-- Puts the instant in order with the latest instants of all subjects.
local at_us, at_ns, last = us, ns, first < count and 2 or 1
for index = 1, last do
  local from, to = before + 1, before + first
  if index == 2 then
    from, to = to + 1, before + count
  end
  local key = keys[keys_before + index]
  local stored = call('HMGET', key, 'at', unpack(args, from, to))
  local latest, exists = stored[1], false
  local latest_us, latest_ns, lives_us = 0, 0, 0
  if latest and most == 0 and #latest == 24 then
    latest_us, latest_ns, lives_us = read('<ddd', latest)
    exists = true
  elseif latest and most > 0 and #latest == 40 then
    latest_us, latest_ns, lives_us, searched_us, next_us = read('<ddddd', latest)
  end
  -- A counter that is no more was over, so a refund makes none.
  if most > 0 and taking ~= BACK then
    stored = with_room(key, stored)
  end
  if latest_us > at_us or (latest_us == at_us and latest_ns > at_ns) then
    local back_us, back_ns = since(latest_us, latest_ns, at_us, at_ns)
    if not is_above(back_us, back_ns, DISORDER_US, 0) then
      at_us, at_ns = latest_us, latest_ns
    end
  end
  if index == 1 then
    stored_1, exists_1, lives_1 = stored, exists, lives_us
  else
    stored_2, exists_2, lives_2 = stored, exists, lives_us
  end
end

-- Asks every quota whether the cost fits.
local passes = true
for index = 1, count do
  local stored
  if index <= first then
    stored = stored_1[index + 1]
  else
    stored = stored_2[index - first + 1]
  end
  local number = kinds % 8
  kinds = (kinds - number) / 8
  local kind = KINDS[number]
  local quota = quotas[index]
  if quota and quota.kind ~= kind then
    quota = nil
  end
  quota, place = kind.new(quota, place, stored, at_us, at_ns)
  quota.kind = kind
  if back > 0 then
    local mark_us, mark_ns
    mark_us, mark_ns, place = read('<dH', numbers, place)
    kind.give_back(quota, back, mark_us, mark_ns)
  end
  -- 1 is for a quota in shadow, and 2 for one from which the charge took nothing. After a clock was set back it is
  -- unknown what the counter still has of the cost.
  if refund > 0 and quota.shadow ~= 2 and not is_above(taken_us, taken_ns, at_us, at_ns) then
    kind.refund(quota, refund, taken_us, taken_ns, at_us, at_ns)
  end
  local room = kind.fits(quota, cost)
  if not room then
    passes = passes and quota.shadow ~= 0
    if kind.refuse then
      kind.refuse(quota, cost)
    end
  end
  quota.room, quotas[index] = room, quota
end

-- Decides how many tokens to take: the cost, more for waiting requests, and more as a lease.
local taken, lasts_us = 0, 0
if taking == ALWAYS then
  taken = cost
elseif taking == ROOM and passes then
  taken = cost
  if want > 0 then
    local spare = MOST
    lasts_us = 9e15
    for index = 1, count do
      local quota = quotas[index]
      spare = min(spare, quota.kind.spare(quota))
      lasts_us = min(lasts_us, quota.kind.lasts_us(quota))
    end
    taken = max(cost, min(demand, spare))
    if lasts_us >= shortest_us then
      taken = max(taken, min(want, floor(spare / left)))
    else
      lasts_us = 0
    end
  end
end

-- The answer has seven numbers, and seven for each quota.
answer[1], answer[4], answer[5] = is_late and 2 or passes and 1 or 0, taken, lasts_us
answer[2], answer[3] = since(at_us, at_ns, us, ns)
-- Without the instant nothing is given back: of a counter that many share it is unknown who may have it.
answer[6], answer[7] = is_together and 0 or at_us, is_together and 0 or at_ns

-- Takes the tokens, and stores the counters until the last of them is over. A peek at a subject without counters stores
-- nothing, and neither does a refund.
for index = 1, last do
  local key, from, to, stored, exists, lives_us = keys[keys_before + index], 1, first, stored_1, exists_1, lives_1
  if index == 2 then
    from, to, stored, exists, lives_us = first + 1, count, stored_2, exists_2, lives_2
  end
  local grows, idle_us = false, at_us
  local size = 2
  for at = from, to do
    local quota = quotas[at]
    local room, tokens = quota.room, taken
    if not room and quota.shadow ~= 0 and taking ~= ALWAYS then
      tokens = 0
    end
    local value, ends_us, used, span_us, span_ns, parts, mark_us, mark_ns =
      quota.kind.finish(quota, tokens, at_us, at_ns)
    local base = 7 * at
    answer[base + 1], answer[base + 2], answer[base + 3] = room and 1 or 0, used, span_us
    answer[base + 4], answer[base + 5] = span_ns, parts
    answer[base + 6], answer[base + 7] = mark_us, mark_ns
    local is_new = not stored[at - from + 2]
    grows = grows or is_new
    exists = exists or (taking == BACK and not is_new)
    if most == 0 or taking ~= BACK or not is_new then
      values[size + 1], values[size + 2], size = args[before + at], value, size + 2
      if ends_us > idle_us then
        idle_us = ends_us
      end
      -- A refused request writes counters again that are over. They are no reason to search.
      if most > 0 then
        local ends_us = read('<d', value)
        if ends_us > at_us or taking == BACK then
          next_us = min(next_us, ends_us)
        end
      end
    end
  end
  if exists or (taking ~= NOTHING and taking ~= BACK) then
    -- It is known until when the hash lives, so most charges need not ask.
    local lasts_us, ttl = idle_us - at_us + DISORDER_US, nil
    if lives_us < us + lasts_us then
      ttl = max(floor(lasts_us / 1000) + 1, longest_ttl)
      local rest = lives_us == 0 and call('PTTL', key) or 0
      if rest >= ttl then
        ttl, lives_us = nil, us + rest * 1000
      else
        lives_us = us + ttl * 1000
      end
      -- The life of the hash has the server's time, which a test does not set.
      if longest_ttl > 0 then
        lives_us = 0
      end
    end
    if most == 0 then
      values[2] = write('<ddd', at_us, at_ns, lives_us)
    else
      values[2] =
        write('<ddddd', at_us, at_ns, lives_us, searched_us, next_us)
    end
    call('HSET', key, unpack(values, 1, size))
    if ttl then
      call('PEXPIRE', key, ttl)
    end
    if grows and most == 0 and call('HLEN', key) > MANY_FIELDS then
      drop_idle(key, at_us)
    end
  end
end

return answer
end

