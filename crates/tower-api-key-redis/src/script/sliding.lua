-- A sliding window, counted in parts.

-- The number of parts: 12 for the window, and the present one.
local PARTS = 13

-- A counter: when it is over, the number of the newest part, and the counts of the parts from the newest on, in as many
-- bytes as the largest of them needs. So most counters have at most 64 bytes, and Redis keeps their hash compact.
local BYTES, WORDS, LONGS = '<ddBBBBBBBBBBBBB', '<ddHHHHHHHHHHHHH', '<ddI4I4I4I4I4I4I4I4I4I4I4I4I4'

-- The longest part whose nanoseconds, times 1000, are exact.
local SHORT = 9e12

-- Returns the number of the part that an instant falls into, and the nanoseconds that have passed of it.
-- Divides the microseconds by the part, and multiplies the rest by 1000. Of a long part it does so bit by bit, because
-- the product would not be exact.
local function part_of(us, ns, part)
  local whole = floor(us / part)
  local rest = us - whole * part
  if rest < 0 then
    whole, rest = whole - 1, rest + part
  end
  local times, over = 0, 0
  if part <= SHORT then
    over = rest * 1000 + ns
    times = floor(over / part)
    over = over - times * part
    -- The division may have rounded up.
    if over < 0 then
      times, over = times - 1, over + part
    end
    return whole * 1000 + times, over
  end
  for bit = 9, 0, -1 do
    times, over = times * 2, over * 2
    if over >= part then
      times, over = times + 1, over - part
    end
    if floor(1000 / 2 ^ bit) % 2 == 1 then
      over = over + rest
      if over >= part then
        times, over = times + 1, over - part
      end
    end
  end
  over = over + ns
  if over >= part then
    times, over = times + 1, over - part
  end
  return whole * 1000 + times, over
end

-- Reads the length of a part in nanoseconds. It is below 2^52, because a window has at most 366 days.
local function new_sliding(_, place, stored, us, ns)
  local limit, shadow, part
  limit, shadow, part, place = read('<I4Bd', numbers, place)
  local newest, passed = part_of(us, ns, part)
  local counts, used, shift = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 0, PARTS
  local form = stored and (#stored == 29 and BYTES or #stored == 42 and WORDS or #stored == 68 and LONGS)
  local parts = form and { read(form, stored) }
  if parts then
    shift = max(newest - parts[2], 0)
  end
  for index = 1, PARTS - shift do
    local count = parts[index + 2]
    counts[index + shift] = count
    used = used + count
  end
  return {
    limit = limit,
    shadow = shadow,
    part = part,
    newest = newest,
    passed = passed,
    counts = counts,
    used = used < MOST and used or MOST,
    leaves = 15,
  }, place
end

-- Returns the sum of all parts.
local function sum_of_parts(quota)
  local used, counts = 0, quota.counts
  for index = 1, PARTS do
    used = used + counts[index]
  end
  return used < MOST and used or MOST
end

local function fits_sliding(quota, cost)
  return cost <= quota.limit - quota.used or cost <= 0
end

-- Notes when a cost without room will fit, as the age of the part that has to leave first.
local function refuse_sliding(quota, cost)
  local left = quota.used
  for age = PARTS - 1, 0, -1 do
    left = max(left - quota.counts[age + 1], 0)
    if cost <= max(quota.limit - left, 0) then
      quota.leaves = age
      return
    end
  end
end

-- Gives tokens back that a part counts. A count at the largest number may have forgotten some, so it stays.
local function give_back_to_part(quota, tokens, part)
  local index = quota.newest - part + 1
  if index >= 1 and index <= PARTS and quota.counts[index] < MOST then
    quota.counts[index] = max(quota.counts[index] - tokens, 0)
    quota.used = sum_of_parts(quota)
  end
end

-- The state has two ages in one number: of the latest part that counts, and of the part that has to leave.
local function finish_sliding(quota, tokens, us)
  local counts, latest, most, idle_us = quota.counts, 15, 0, 0
  if tokens > 0 then
    counts[1] = min(counts[1] + tokens, MOST)
    quota.used = sum_of_parts(quota)
  end
  for index = PARTS, 1, -1 do
    if counts[index] > 0 then
      latest, most = index - 1, max(counts[index], most)
    end
  end
  if latest < PARTS then
    idle_us = us + floor(((PARTS - latest) * quota.part - quota.passed) / 1000) + 1
  end
  local passed_us, passed_ns = pair(0, quota.passed)
  local form = most < 256 and BYTES or most < 65536 and WORDS or LONGS
  local value = write(form, idle_us, quota.newest, unpack(counts))
  return value, idle_us, quota.used, passed_us, passed_ns, latest * 16 + quota.leaves, quota.newest, 0
end

local sliding = {
  new = new_sliding,
  fits = fits_sliding,
  refuse = refuse_sliding,
  finish = finish_sliding,
}

