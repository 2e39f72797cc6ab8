-- A leaky bucket. It remembers when it last ran over, as in memory.

-- Fills the bucket up to a level. What is above the capacity runs over at an instant, and is forgotten.
local function fill_bucket(quota, level_us, level_ns, us, ns)
  if is_above(level_us, level_ns, quota.capacity_us, quota.capacity_ns) then
    level_us, level_ns = quota.capacity_us, quota.capacity_ns
    quota.spilled_us, quota.spilled_ns = us, ns
  end
  quota.level_us, quota.level_ns = level_us, level_ns
end

-- Reads the time that one request takes to drain, and the capacity. Reads the level up to which requests may
-- fill the bucket, and the time for which tokens may be held.
local function new_bucket(_, place, stored, us, ns)
  local limit, shadow, interval_us, interval_ns, capacity_us, capacity_ns, brim_us, brim_ns, lease_us
  limit, shadow, interval_us, interval_ns, capacity_us, capacity_ns, brim_us, brim_ns, lease_us, place =
    read('<I4BdHdHdHd', numbers, place)
  local quota = {
    limit = limit,
    shadow = shadow,
    interval_us = interval_us,
    interval_ns = interval_ns,
    capacity_us = capacity_us,
    capacity_ns = capacity_ns,
    brim_us = brim_us,
    brim_ns = brim_ns,
    lease_us = lease_us,
    level_us = 0,
    level_ns = 0,
    spilled_us = 0,
    spilled_ns = 0,
  }
  if stored and #stored == 32 then
    local empty_us, empty_ns
    empty_us, empty_ns, quota.spilled_us, quota.spilled_ns = read('<dddd', stored)
    local level_us, level_ns = since(empty_us, empty_ns, us, ns)
    fill_bucket(quota, level_us, level_ns, us, ns)
  end
  return quota, place
end

local function filled(quota, cost)
  return pair(
    quota.level_us + quota.interval_us * cost,
    quota.level_ns + quota.interval_ns * cost
  )
end

local function fits_bucket(quota, cost)
  if cost == 0 then
    return true
  elseif cost > quota.limit then
    return false
  end
  local level_us, level_ns = filled(quota, cost)
  return not is_above(level_us, level_ns, quota.brim_us, quota.brim_ns)
end

local function finish_bucket(quota, tokens, us, ns)
  if tokens > 0 then
    -- A cost above the limit runs over. A product with a larger one would not be exact.
    local level_us, level_ns = filled(quota, min(tokens, quota.limit + 1))
    fill_bucket(quota, level_us, level_ns, us, ns)
  end
  local level_us, level_ns = quota.level_us, quota.level_ns
  local empty_us, empty_ns = pair(us + level_us, ns + level_ns)
  local value = write('<dddd', empty_us, empty_ns, quota.spilled_us, quota.spilled_ns)
  return value, empty_us + 1, 0, level_us, level_ns, 0, 0, 0
end

local bucket = { new = new_bucket, fits = fits_bucket, finish = finish_bucket }

