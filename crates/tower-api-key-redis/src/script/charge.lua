-- Charges a request to all of its quotas, or to none, in one step.
--
-- KEYS: one hash for each subject. A subject is an account, a key or a set of networks; its hash holds the latest
-- instant ('at') and a field for each counter. Of a set of networks 'at' also has the instant of the latest search for
-- counters that are over, and an instant before which none is over.

-- The hash of an account or key with more fields than this is searched for counters that are over.
local MANY_FIELDS = 64
-- The longest time by which an instant may be earlier than the latest one. Beyond it, the clock was set back.
local DISORDER_US = 1000000
-- The shortest time between two searches of a set of networks for counters that are over.
local SEARCH_US = 1000000
-- Later than the end of every counter.
local NEVER_US = 9e15

local KINDS = {
  fixed_window = fixed,
  leaky_bucket = bucket,
  sliding_window = sliding,
  calendar_day = day,
  calendar_month = month,
}

-- The question.
local taking, cost, demand, want = text(), number(), number(), number()
-- A lease takes at most one in this many of the tokens that are left.
local left, shortest_us = number(), number()
local back = number()
-- The instant after which nothing waits for the answer; 0 for none.
local until_us = number()
-- The most counters of a set of networks; 0 for accounts and keys. The most with those that networks of a site share.
-- The name of the network's site.
local most, most_shared, site = number(), 0, ''
if most > 0 then
  most_shared, site = number(), text()
end
local us, ns, longest_ttl = number(), number(), 0
if us then
  -- A test sets the time. Its counters must not expire while it runs.
  longest_ttl = 600000
else
  local time = redis.call('TIME')
  us, ns = time[1] * 1000000 + time[2], 0
end

-- A late question was sent to a server that stood still. To take tokens for it would lose them. It still gives back.
local is_late = until_us > 0 and us > until_us
if is_late then
  taking, cost, demand, want = 'nothing', 0, 0, 0
end

-- A refund gives the cost back from the windows that were open at an instant, and takes nothing.
local refund, taken_us, taken_ns = 0, 0, 0
if taking == 'back' then
  refund, cost, demand = cost, 0, 0
  taken_us, taken_ns = number(), number()
end

local quotas, subjects = {}, {}
for index = 1, #KEYS do
  subjects[index] = { fields = { 'at' }, quotas = {} }
end
while read < #ARGV do
  local subject = subjects[number()]
  local field, kind = text(), KINDS[text()]
  local quota = { kind = kind, limit = number() }
  -- '1' for a quota in shadow, and '2' for one from which the charge took nothing.
  local shadow = text()
  quota.in_shadow, quota.untaken = shadow ~= '0', shadow == '2'
  kind.terms(quota)
  if back > 0 then
    quota.mark_us, quota.mark_ns = number(), number()
  end
  quotas[#quotas + 1] = quota
  subject.fields[#subject.fields + 1] = field
  subject.quotas[#subject.quotas + 1] = quota
end

-- Deletes the counters of a hash that are over, and returns the instant at which the next one is over.
local function drop_idle(key, us)
  local all, next_us = redis.call('HGETALL', key), NEVER_US
  for place = 1, #all, 2 do
    if all[place] ~= 'at' then
      local ends_us = tonumber(string.match(all[place + 1], '^%d+')) or 0
      if ends_us <= us then
        redis.call('HDEL', key, all[place])
      else
        next_us = min(next_us, ends_us)
      end
    end
  end
  return next_us
end

-- True if the network counts together with others.
local is_together = false

-- Returns true if a set has room for the counters of a network up to a bound. One field is 'at'.
local function has_room(key, subject, bound)
  return redis.call('HLEN', key) - 1 + #subject.quotas <= bound
end

-- Returns true if a network lacks a counter.
local function lacks_any(subject, stored)
  for place = 2, #subject.fields do
    if not stored[place] then
      return true
    end
  end
  return false
end

-- Reads counters of another name in place of those that a network lacks.
local function replace_lacking(key, subject, stored, name)
  for place = 2, #subject.fields do
    if not stored[place] then
      subject.fields[place] = string.gsub(subject.fields[place], '^[^:]*', name)
    end
  end
  return redis.call('HMGET', key, unpack(subject.fields))
end

-- Finds room in a set for the counters that a network does not have yet. If the set is full of active counters, the
-- network counts together with those of its site. If the set is full of counters of sites as well, the network counts
-- together with all others that find no room.
local function with_room(key, subject, stored)
  if not lacks_any(subject, stored) or has_room(key, subject, most) then
    return stored
  end
  local may_search = math.abs(us - subject.searched_us) >= SEARCH_US
  if taking ~= 'nothing' and subject.next_us <= us and may_search then
    subject.searched_us, subject.next_us = us, drop_idle(key, us)
    if has_room(key, subject, most) then
      return stored
    end
  end
  is_together = true
  stored = replace_lacking(key, subject, stored, 'others of ' .. site)
  if not lacks_any(subject, stored) or has_room(key, subject, most_shared) then
    return stored
  end
  return replace_lacking(key, subject, stored, 'others')
end

-- Puts the instant in order with the latest instants of all subjects.
local at_us, at_ns = us, ns
for index, subject in ipairs(subjects) do
  local stored = redis.call('HMGET', KEYS[index], unpack(subject.fields))
  subject.exists = stored[1] ~= false and most == 0
  if most > 0 then
    local latest = numbers(stored[1] or '')
    subject.searched_us = latest[3] or 0
    subject.next_us = latest[4] or (stored[1] and 0 or NEVER_US)
    -- A counter that is no more was over, so a refund makes none.
    if taking ~= 'back' then
      stored = with_room(KEYS[index], subject, stored)
    end
  end
  local latest = numbers(stored[1] or '')
  local latest_us, latest_ns = latest[1] or 0, latest[2] or 0
  local back_us, back_ns = since(latest_us, latest_ns, at_us, at_ns)
  local is_set_back = is_above(back_us, back_ns, DISORDER_US, 0)
  if not is_set_back and is_above(latest_us, latest_ns, at_us, at_ns) then
    at_us, at_ns = latest_us, latest_ns
  end
  for place, quota in ipairs(subject.quotas) do
    local value = stored[place + 1]
    subject.grows = subject.grows or not value
    quota.is_new = not value
    if taking == 'back' and value then
      subject.exists = true
    end
    quota.kind.load(quota, value or nil)
  end
end

-- Asks every quota whether the cost fits.
local passes = true
for _, quota in ipairs(quotas) do
  quota.kind.settle(quota, at_us, at_ns)
  if back > 0 then
    quota.kind.give_back(quota, back, quota.mark_us, quota.mark_ns)
  end
  -- After a clock was set back it is unknown what the counter still has of the cost.
  if refund > 0 and not quota.untaken and not is_above(taken_us, taken_ns, at_us, at_ns) then
    quota.kind.refund(quota, refund, taken_us, taken_ns, at_us, at_ns)
  end
  quota.room = quota.kind.fits(quota, cost)
  if not quota.room and quota.kind.refuse then
    quota.kind.refuse(quota, cost)
  end
  passes = passes and (quota.room or quota.in_shadow)
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
    for _, quota in ipairs(quotas) do
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

-- Takes the tokens, and writes the state of each quota into the answer.
local ahead_us, ahead_ns = since(at_us, at_ns, us, ns)
local answer = { is_late and 2 or passes and 1 or 0, ahead_us, ahead_ns, taken, lasts_us, at_us, at_ns }
-- Without the instant nothing is given back: of a counter that many share it is unknown who may have it.
if is_together then
  answer[6], answer[7] = 0, 0
end
for _, quota in ipairs(quotas) do
  if taking == 'always' or not quota.in_shadow or quota.room then
    quota.kind.take(quota, taken, at_us, at_ns)
  end
  answer[#answer + 1] = quota.room and 1 or 0
  for _, value in ipairs({ quota.kind.answer(quota) }) do
    answer[#answer + 1] = value
  end
  for _, value in ipairs({ quota.kind.mark(quota) }) do
    answer[#answer + 1] = value
  end
end

-- Stores the counters until the last of them is over. A peek at a subject without counters stores nothing, and
-- neither does a refund.
for index, subject in ipairs(subjects) do
  if subject.exists or (taking ~= 'nothing' and taking ~= 'back') then
    local values, idle_us = { 'at', '' }, at_us
    for place, quota in ipairs(subject.quotas) do
      if most == 0 or taking ~= 'back' or not quota.is_new then
        values[#values + 1] = subject.fields[place + 1]
        local value = quota.kind.store(quota, at_us, at_ns)
        values[#values + 1] = value
        idle_us = max(idle_us, quota.kind.idle_us(quota, at_us))
        -- A refused request writes counters again that are over. They are no reason to search.
        local ends_us = most > 0 and numbers(value)[1]
        if most > 0 and (ends_us > at_us or taking == 'back') then
          subject.next_us = min(subject.next_us, ends_us)
        end
      end
    end
    values[2] = exact(at_us) .. ' ' .. at_ns
    if most > 0 then
      values[2] = values[2] .. ' ' .. exact(subject.searched_us) .. ' ' .. exact(subject.next_us)
    end
    redis.call('HSET', KEYS[index], unpack(values))
    local ttl = max(floor((idle_us - at_us + DISORDER_US) / 1000) + 1, longest_ttl)
    if redis.call('PTTL', KEYS[index]) < ttl then
      redis.call('PEXPIRE', KEYS[index], exact(ttl))
    end
    if subject.grows and most == 0 and redis.call('HLEN', KEYS[index]) > MANY_FIELDS then
      drop_idle(KEYS[index], at_us)
    end
  end
end

return answer
