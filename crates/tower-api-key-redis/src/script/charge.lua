-- Charges a request to all of its quotas, or to none, in one step.

-- Puts the instant in order with the latest instants of all subjects.
local at_us, at_ns = us, ns
for index = 1, #keys do
  local subject = subjects[index]
  local stored = call('HMGET', keys[index], unpack(subject.fields))
  local latest_us, latest_ns = 0, 0
  if stored[1] then
    local first, second, third, fourth, fifth =
      match(stored[1], '^(%d+) (%d+) ?(%d*) ?(%d*) ?(%d*)')
    latest_us, latest_ns = (first or 0) + 0, (second or 0) + 0
    if most == 0 then
      subject.exists, subject.lives_us = true, tonumber(third) or 0
    else
      subject.searched_us, subject.next_us = tonumber(third) or 0, tonumber(fourth) or 0
      subject.lives_us = tonumber(fifth) or 0
    end
  end
  -- A counter that is no more was over, so a refund makes none.
  if most > 0 and taking ~= 'back' then
    stored = with_room(keys[index], subject, stored)
  end
  subject.stored = stored
  if is_above(latest_us, latest_ns, at_us, at_ns) then
    local back_us, back_ns = since(latest_us, latest_ns, at_us, at_ns)
    if not is_above(back_us, back_ns, DISORDER_US, 0) then
      at_us, at_ns = latest_us, latest_ns
    end
  end
end

-- Asks every quota whether the cost fits.
local passes = true
for index = 1, #keys do
  local subject = subjects[index]
  for place = 1, subject.size do
    local quota = subject.quotas[place]
    local kind = quota.kind
    kind.settle(quota, subject.stored[place + 1], at_us, at_ns)
    if back > 0 then
      kind.give_back(quota, back, quota.mark_us, quota.mark_ns)
    end
    -- After a clock was set back it is unknown what the counter still has of the cost.
    if refund > 0 and quota.shadow ~= '2' and not is_above(taken_us, taken_ns, at_us, at_ns) then
      kind.refund(quota, refund, taken_us, taken_ns, at_us, at_ns)
    end
    local room = kind.fits(quota, cost)
    quota.room = room
    if not room then
      passes = passes and quota.shadow ~= '0'
      if kind.refuse then
        kind.refuse(quota, cost)
      end
    end
  end
end

-- Decides how many tokens to take: the cost, more for waiting requests, and more as a lease.
local taken, lasts_us = 0, 0
if taking == 'always' then
  taken = cost
elseif taking == 'room' and passes then
  taken = cost
  if want > 0 then
    local spare = MOST
    lasts_us = 9e15
    for index = 1, #keys do
      local subject = subjects[index]
      for place = 1, subject.size do
        local quota = subject.quotas[place]
        spare = min(spare, quota.kind.spare(quota))
        lasts_us = min(lasts_us, quota.kind.lasts_us(quota))
      end
    end
    taken = max(cost, min(demand, spare))
    if lasts_us >= shortest_us then
      taken = max(taken, min(want, floor(spare / left)))
    else
      lasts_us = 0
    end
  end
end

-- The answer has seven numbers, and seven for each quota. The table has room for two quotas from the start.
local answer = {
  nil, nil, nil, nil, nil, nil, nil,
  nil, nil, nil, nil, nil, nil, nil,
  nil, nil, nil, nil, nil, nil, nil,
}
answer[1], answer[4], answer[5] = is_late and 2 or passes and 1 or 0, taken, lasts_us
answer[2], answer[3] = since(at_us, at_ns, us, ns)
-- Without the instant nothing is given back: of a counter that many share it is unknown who may have it.
if is_together then
  answer[6], answer[7] = 0, 0
else
  answer[6], answer[7] = at_us, at_ns
end

-- Takes the tokens, and stores the counters until the last of them is over. A peek at a subject without counters stores
-- nothing, and neither does a refund.
for index = 1, #keys do
  local subject, key = subjects[index], keys[index]
  local stored, exists, grows = subject.stored, subject.exists, false
  local values, size, idle_us = { 'at', nil, nil, nil, nil, nil, nil, nil }, 2, at_us
  for place = 1, subject.size do
    local quota = subject.quotas[place]
    local kind, room = quota.kind, quota.room
    if taking == 'always' or room or quota.shadow == '0' then
      kind.take(quota, taken, at_us, at_ns)
    end
    local value, ends_us, used, span_us, span_ns, parts, mark_us, mark_ns =
      kind.finish(quota, at_us, at_ns)
    local base = 7 * quota.place
    answer[base + 1], answer[base + 2], answer[base + 3] = room and 1 or 0, used, span_us
    answer[base + 4], answer[base + 5] = span_ns, parts
    answer[base + 6], answer[base + 7] = mark_us, mark_ns
    local is_new = not stored[place + 1]
    grows = grows or is_new
    exists = exists or (taking == 'back' and not is_new)
    if most == 0 or taking ~= 'back' or not is_new then
      values[size + 1], values[size + 2] = subject.fields[place + 1], value
      size = size + 2
      if ends_us > idle_us then
        idle_us = ends_us
      end
      -- A refused request writes counters again that are over. They are no reason to search.
      if most > 0 then
        local ends_us = match(value, '^%d+') + 0
        if ends_us > at_us or taking == 'back' then
          subject.next_us = min(subject.next_us, ends_us)
        end
      end
    end
  end
  if exists or (taking ~= 'nothing' and taking ~= 'back') then
    local ttl = max(floor((idle_us - at_us + DISORDER_US) / 1000) + 1, longest_ttl)
    -- It is known until when the hash lives, so most charges need not ask.
    local lives_us, extends = subject.lives_us, false
    if lives_us + 2000 < us + ttl * 1000 then
      local rest = lives_us == 0 and call('PTTL', key) or 0
      extends = rest < ttl
      lives_us = us + (extends and ttl or rest) * 1000
    end
    if longest_ttl > 0 then
      lives_us = 0
    end
    if most == 0 then
      values[2] = format('%.0f %.0f %.0f', at_us, at_ns, lives_us)
    else
      values[2] = format(
        '%.0f %.0f %.0f %.0f %.0f',
        at_us, at_ns, subject.searched_us, subject.next_us, lives_us
      )
    end
    call('HSET', key, unpack(values, 1, size))
    if extends then
      call('PEXPIRE', key, format('%.0f', ttl))
    end
    if grows and most == 0 and call('HLEN', key) > MANY_FIELDS then
      drop_idle(key, at_us)
    end
  end
end

return answer
