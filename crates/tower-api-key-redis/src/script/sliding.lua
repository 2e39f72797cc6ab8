-- A sliding window, counted in parts.

local sliding = {}

-- The number of parts: 12 for the window, and the present one.
local PARTS = 13

-- Reads the length of a part in nanoseconds. It is below 2^52, because a window has at most 366 days.
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

-- Returns the number of the part that an instant falls into, and the nanoseconds that have passed of it.
-- Divides the microseconds by the part, and multiplies the rest by 1000 bit by bit, because its product would
-- not be exact.
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

-- Notes when a cost without room will fit, as the age of the part that has to leave first.
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

-- A count at the largest number may have forgotten some, so it stays.
function sliding.give_back(quota, tokens, part)
  local index = quota.newest - part + 1
  if index >= 1 and index <= PARTS and quota.counts[index] < MOST then
    quota.counts[index] = max(quota.counts[index] - tokens, 0)
  end
end

function sliding.refund(quota, cost, us, ns)
  local part = part_of(us, ns, quota.part)
  sliding.give_back(quota, cost, part)
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

-- Returns two ages in one number: of the latest part that counts, and of the part that has to leave.
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

