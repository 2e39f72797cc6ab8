-- Charges a request to all of its quotas, or to none, in one step.
--
-- KEYS: one hash for each subject. A subject is an account or a key; its hash holds the latest instant
-- ('at') and a field for each counter.
--
-- Numbers are doubles here, exact up to 2^53, which is less than the nanoseconds since 1970. So instants
-- and spans are pairs: whole microseconds, and nanoseconds below 1000. Nothing is ever rounded.

local floor, max, min = math.floor, math.max, math.min

-- What a counter holds at most, as in memory.
local MOST = 4294967295
-- A sliding window counts in this many parts, and the present one.
local PARTS = 13
-- From this many fields on a hash is looked through for counters that are over.
local MANY_FIELDS = 64
-- How much earlier than the latest instant another may be before the clock counts as set back.
local DISORDER_US = 1000000
-- A lease takes one in so many of the tokens that are left.
local SHARE = 8
local DAY_US = 86400000000

local read = 0
local function text()
  read = read + 1
  return ARGV[read]
end
local function number()
  return tonumber(text())
end

local function pair(us, ns)
  local carry = floor(ns / 1000)
  return us + carry, ns - carry * 1000
end

-- One instant less another, or nothing if that lies ahead.
local function since(us, ns, earlier_us, earlier_ns)
  us, ns = pair(us - earlier_us, ns - earlier_ns)
  if us < 0 then
    return 0, 0
  end
  return us, ns
end

local function is_above(us, ns, other_us, other_ns)
  return us > other_us or (us == other_us and ns > other_ns)
end

local function exact(value)
  return string.format('%.0f', value)
end

local function numbers(value)
  local all = {}
  for digits in string.gmatch(value or '', '%d+') do
    all[#all + 1] = tonumber(digits)
  end
  return all
end

-- The first day of the next month, in days since 1970 (years begin in March, so that leap days end them).
local function next_month(day)
  day = day + 719468
  local era = floor(day / 146097)
  day = day - era * 146097
  local year = floor((day - floor(day / 1460) + floor(day / 36524) - floor(day / 146096)) / 365)
  day = day - (365 * year + floor(year / 4) - floor(year / 100))
  local month = floor((5 * day + 2) / 153) + 1
  if month == 12 then
    month, year = 0, year + 1
    if year == 400 then
      year, era = 0, era + 1
    end
  end
  day = 365 * year + floor(year / 4) - floor(year / 100) + floor((153 * month + 2) / 5)
  return era * 146097 + day - 719468
end

-- Each kind of counter: reads its terms and what is stored, settles it, tells whether a cost fits, how many
-- would, and how long what is charged now counts the same; takes a cost, or gives back what was charged
-- under a mark; tells how it stands, what marks that which is charged now, and what is to be stored.
local fixed, bucket, sliding = {}, {}, {}

function fixed.terms(quota)
  quota.length_us, quota.length_ns = number(), number()
end

function fixed.load(quota, value)
  local stored = numbers(value)
  quota.ends_us, quota.ends_ns, quota.used = stored[1] or 0, stored[2] or 0, stored[3] or 0
end

function fixed.settle(quota, us, ns)
  if not is_above(quota.ends_us, quota.ends_ns, us, ns) then
    quota.ends_us, quota.ends_ns, quota.used = 0, 0, 0
  end
  local latest_us, latest_ns = pair(us + quota.length_us, ns + quota.length_ns)
  if is_above(quota.ends_us, quota.ends_ns, latest_us, latest_ns) then
    quota.ends_us, quota.ends_ns = latest_us, latest_ns
  end
  quota.reset_us, quota.reset_ns = since(quota.ends_us, quota.ends_ns, us, ns)
  if quota.reset_us == 0 and quota.reset_ns == 0 then
    quota.reset_us, quota.reset_ns = quota.length_us, quota.length_ns
  end
end

function fixed.spare(quota)
  return max(quota.limit - quota.used, 0)
end

function fixed.fits(quota, cost)
  return cost <= fixed.spare(quota)
end

function fixed.lasts_us(quota)
  return quota.reset_us
end

function fixed.take(quota, cost, us, ns)
  if cost > 0 then
    quota.ends_us, quota.ends_ns = pair(us + quota.reset_us, ns + quota.reset_ns)
    quota.used = min(quota.used + cost, MOST)
  end
end

function fixed.give_back(quota, tokens, mark_us, mark_ns)
  if quota.ends_us == mark_us and quota.ends_ns == mark_ns then
    quota.used = max(quota.used - tokens, 0)
  end
end

function fixed.mark(quota)
  return quota.ends_us, quota.ends_ns
end

function fixed.answer(quota)
  return quota.used, quota.reset_us, quota.reset_ns, 0
end

function fixed.store(quota)
  return exact(quota.ends_us) .. ' ' .. quota.ends_ns .. ' ' .. quota.used
end

function fixed.idle_us(quota)
  return quota.ends_us + 1
end

-- The windows of the calendar are fixed ones, whose length the date tells.
local day, month = setmetatable({}, { __index = fixed }), setmetatable({}, { __index = fixed })

function day.terms() end

function day.settle(quota, us, ns)
  local ends_us = (floor(us / DAY_US) + 1) * DAY_US
  quota.length_us, quota.length_ns = since(ends_us, 0, us, ns)
  fixed.settle(quota, us, ns)
end

function month.terms() end

function month.settle(quota, us, ns)
  local ends_us = next_month(floor(us / DAY_US)) * DAY_US
  quota.length_us, quota.length_ns = since(ends_us, 0, us, ns)
  fixed.settle(quota, us, ns)
end

-- The time that one request takes to drain, what the bucket holds, and up to where requests may fill it.
function bucket.terms(quota)
  quota.interval_us, quota.interval_ns = number(), number()
  quota.capacity_us, quota.capacity_ns = number(), number()
  quota.brim_us, quota.brim_ns = number(), number()
  quota.lease_us = number()
end

function bucket.load(quota, value)
  local stored = numbers(value)
  quota.empty_us, quota.empty_ns = stored[1] or 0, stored[2] or 0
end

function bucket.settle(quota, us, ns)
  local level_us, level_ns = since(quota.empty_us, quota.empty_ns, us, ns)
  if is_above(level_us, level_ns, quota.capacity_us, quota.capacity_ns) then
    level_us, level_ns = quota.capacity_us, quota.capacity_ns
  end
  quota.level_us, quota.level_ns = level_us, level_ns
end

local function filled(quota, cost)
  return pair(
    quota.level_us + quota.interval_us * cost,
    quota.level_ns + quota.interval_ns * cost
  )
end

function bucket.fits(quota, cost)
  if cost == 0 then
    return true
  elseif cost > quota.limit then
    return false
  end
  local level_us, level_ns = filled(quota, cost)
  return not is_above(level_us, level_ns, quota.brim_us, quota.brim_ns)
end

function bucket.spare(quota)
  local us, ns = since(quota.brim_us, quota.brim_ns, quota.level_us, quota.level_ns)
  local spare = floor((us * 1000 + ns) / (quota.interval_us * 1000 + quota.interval_ns))
  -- The division may have been rounded.
  while spare > 0 and not bucket.fits(quota, spare) do
    spare = spare - 1
  end
  return spare
end

function bucket.lasts_us(quota)
  return quota.lease_us
end

function bucket.take(quota, cost)
  local level_us, level_ns = filled(quota, min(cost, quota.limit))
  if is_above(level_us, level_ns, quota.capacity_us, quota.capacity_ns) then
    level_us, level_ns = quota.capacity_us, quota.capacity_ns
  end
  quota.level_us, quota.level_ns = level_us, level_ns
end

-- It has drained meanwhile, and nobody knows how much.
function bucket.give_back() end

function bucket.mark()
  return 0, 0
end

function bucket.answer(quota)
  return 0, quota.level_us, quota.level_ns, 0
end

function bucket.store(quota, us, ns)
  quota.empty_us, quota.empty_ns = pair(us + quota.level_us, ns + quota.level_ns)
  return exact(quota.empty_us) .. ' ' .. quota.empty_ns
end

function bucket.idle_us(quota)
  return quota.empty_us + 1
end

-- The length of a part, in nanoseconds: below 2^52, as a window has at most 366 days.
function sliding.terms(quota)
  quota.part = number()
end

function sliding.load(quota, value)
  local stored = numbers(value)
  quota.newest, quota.counts = stored[2] or 0, {}
  for index = 1, PARTS do
    quota.counts[index] = stored[index + 2] or 0
  end
end

-- The number of the part that an instant falls into, and the nanoseconds that have passed of it: the
-- microseconds are divided by the part, and the rest is multiplied by 1000 bit by bit, for its
-- product would not be exact.
local function part_of(us, ns, part)
  local whole = floor(us / part)
  local rest = us - whole * part
  if rest < 0 then
    whole, rest = whole - 1, rest + part
  end
  local times, over = 0, 0
  for bit = 9, 0, -1 do
    times, over = times * 2, over * 2
    if over >= part then
      times, over = times + floor(over / part), over % part
    end
    if floor(1000 / 2 ^ bit) % 2 == 1 then
      over = over + rest
      if over >= part then
        times, over = times + floor(over / part), over % part
      end
    end
  end
  over = over + ns
  return whole * 1000 + times + floor(over / part), over % part
end

function sliding.settle(quota, us, ns)
  local newest, passed = part_of(us, ns, quota.part)
  local shift = max(newest - quota.newest, 0)
  local counts = {}
  for index = 1, PARTS do
    counts[index] = 0
  end
  for index = 1, PARTS - shift do
    counts[index + shift] = quota.counts[index]
  end
  quota.newest, quota.counts, quota.passed = newest, counts, passed
end

local function used(quota)
  local sum = 0
  for index = 1, PARTS do
    sum = sum + quota.counts[index]
  end
  return min(sum, MOST)
end

function sliding.spare(quota)
  return max(quota.limit - used(quota), 0)
end

function sliding.fits(quota, cost)
  return cost <= sliding.spare(quota)
end

function sliding.lasts_us(quota)
  return floor((quota.part - quota.passed) / 1000)
end

-- After how many parts a cost fits that does not now; it is told as the age of the part that has to leave.
function sliding.refuse(quota, cost)
  local left = used(quota)
  for age = PARTS - 1, 0, -1 do
    left = max(left - quota.counts[age + 1], 0)
    if cost <= max(quota.limit - left, 0) then
      quota.leaves = age
      return
    end
  end
end

function sliding.take(quota, cost)
  quota.counts[1] = min(quota.counts[1] + cost, MOST)
end

function sliding.give_back(quota, tokens, part)
  local index = quota.newest - part + 1
  if index >= 1 and index <= PARTS then
    quota.counts[index] = max(quota.counts[index] - tokens, 0)
  end
end

function sliding.mark(quota)
  return quota.newest, 0
end

local function latest_age(quota)
  for index = 1, PARTS do
    if quota.counts[index] > 0 then
      return index - 1
    end
  end
end

-- The age of the part that resets all of it, and of the one that has to leave, in one number.
function sliding.answer(quota)
  local latest, leaves = latest_age(quota) or 15, quota.leaves or 15
  local passed_us, passed_ns = pair(0, quota.passed)
  return used(quota), passed_us, passed_ns, latest * 16 + leaves
end

function sliding.idle_us(quota, us)
  local age = latest_age(quota)
  return age and us + floor(((PARTS - age) * quota.part - quota.passed) / 1000) + 1 or 0
end

function sliding.store(quota, us)
  local idle_us = sliding.idle_us(quota, us)
  return exact(idle_us) .. ' ' .. exact(quota.newest) .. ' ' .. table.concat(quota.counts, ' ')
end

local KINDS = { fixed = fixed, bucket = bucket, sliding = sliding, day = day, month = month }

-- What is asked for.
local taking, cost, demand, want, shortest_us = text(), number(), number(), number(), number()
local back = number()
local us, ns, longest_ttl = number(), number(), 0
if us then
  -- A test that tells the time; what it counts must not go while it does.
  longest_ttl = 600000
else
  local time = redis.call('TIME')
  us, ns = time[1] * 1000000 + time[2], 0
end

local quotas, subjects = {}, {}
for index = 1, #KEYS do
  subjects[index] = { fields = { 'at' }, quotas = {} }
end
while read < #ARGV do
  local subject = subjects[number()]
  local field, kind = text(), KINDS[text()]
  local quota = { kind = kind, limit = number(), in_shadow = text() == '1' }
  kind.terms(quota)
  if back > 0 then
    quota.mark_us, quota.mark_ns = number(), number()
  end
  quotas[#quotas + 1] = quota
  subject.fields[#subject.fields + 1] = field
  subject.quotas[#subject.quotas + 1] = quota
end

-- Puts the instant in order with those of all subjects.
local at_us, at_ns = us, ns
for index, subject in ipairs(subjects) do
  local stored = redis.call('HMGET', KEYS[index], unpack(subject.fields))
  subject.exists = stored[1] ~= false
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
    quota.kind.load(quota, value or nil)
  end
end

-- Asks every quota.
local passes = true
for _, quota in ipairs(quotas) do
  quota.kind.settle(quota, at_us, at_ns)
  if back > 0 then
    quota.kind.give_back(quota, back, quota.mark_us, quota.mark_ns)
  end
  quota.room = quota.kind.fits(quota, cost)
  if not quota.room and quota.kind.refuse then
    quota.kind.refuse(quota, cost)
  end
  passes = passes and (quota.room or quota.in_shadow)
end

-- Decides what is taken: more than the cost, if there is demand for more, or as a lease.
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
      taken = max(taken, min(want, floor(spare / SHARE)))
    else
      lasts_us = 0
    end
  end
end

-- Takes it, and notes how each quota stands.
local ahead_us, ahead_ns = since(at_us, at_ns, us, ns)
local answer = { passes and 1 or 0, ahead_us, ahead_ns, taken, lasts_us }
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

-- Keeps it until the last of the counters is over. A look at a subject that is not counted makes none.
for index, subject in ipairs(subjects) do
  if subject.exists or taking ~= 'nothing' then
    local values, idle_us = { 'at', exact(at_us) .. ' ' .. at_ns }, at_us
    for place, quota in ipairs(subject.quotas) do
      values[#values + 1] = subject.fields[place + 1]
      values[#values + 1] = quota.kind.store(quota, at_us, at_ns)
      idle_us = max(idle_us, quota.kind.idle_us(quota, at_us))
    end
    redis.call('HSET', KEYS[index], unpack(values))
    local ttl = max(floor((idle_us - at_us + DISORDER_US) / 1000) + 1, longest_ttl)
    if redis.call('PTTL', KEYS[index]) < ttl then
      redis.call('PEXPIRE', KEYS[index], exact(ttl))
    end
    if subject.grows and redis.call('HLEN', KEYS[index]) > MANY_FIELDS then
      local all = redis.call('HGETALL', KEYS[index])
      for place = 1, #all, 2 do
        if all[place] ~= 'at' and (numbers(all[place + 1])[1] or 0) <= at_us then
          redis.call('HDEL', KEYS[index], all[place])
        end
      end
    end
  end
end

return answer
