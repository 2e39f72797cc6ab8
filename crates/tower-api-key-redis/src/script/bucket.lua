-- A leaky bucket. It remembers when it last ran over, as in memory.

-- Reads the time that one request takes to drain, and the capacity. Reads the level up to which requests may
-- fill the bucket, and the time for which tokens may be held.
local function new_bucket(at)
  return {
    limit = args[at] + 0,
    shadow = args[at + 1],
    interval_us = args[at + 2] + 0,
    interval_ns = args[at + 3] + 0,
    capacity_us = args[at + 4] + 0,
    capacity_ns = args[at + 5] + 0,
    brim_us = args[at + 6] + 0,
    brim_ns = args[at + 7] + 0,
    lease_us = args[at + 8] + 0,
    level_us = 0,
    level_ns = 0,
    spilled_us = 0,
    spilled_ns = 0,
  }, at + 9
end

-- Fills the bucket up to a level. What is above the capacity runs over at an instant, and is forgotten.
local function fill_bucket(quota, level_us, level_ns, us, ns)
  if is_above(level_us, level_ns, quota.capacity_us, quota.capacity_ns) then
    level_us, level_ns = quota.capacity_us, quota.capacity_ns
    quota.spilled_us, quota.spilled_ns = us, ns
  end
  quota.level_us, quota.level_ns = level_us, level_ns
end

local function settle_bucket(quota, value, us, ns)
  if value then
    local empty_us, empty_ns, spilled_us, spilled_ns = match(value, '^(%d+) (%d+) ?(%d*) ?(%d*)')
    -- A bucket that never ran over has no instant for it.
    if spilled_ns and spilled_ns ~= '' then
      quota.spilled_us, quota.spilled_ns = spilled_us + 0, spilled_ns + 0
    end
    if empty_us then
      local level_us, level_ns = since(empty_us + 0, empty_ns + 0, us, ns)
      fill_bucket(quota, level_us, level_ns, us, ns)
    end
  end
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

-- A cost above the limit runs over. A product with a larger one would not be exact.
local function take_bucket(quota, cost, us, ns)
  local level_us, level_ns = filled(quota, min(cost, quota.limit + 1))
  fill_bucket(quota, level_us, level_ns, us, ns)
end

local function finish_bucket(quota, us, ns)
  local level_us, level_ns = quota.level_us, quota.level_ns
  local empty_us, empty_ns = pair(us + level_us, ns + level_ns)
  local value = format('%.0f %.0f', empty_us, empty_ns)
  if quota.spilled_us > 0 then
    value = format('%s %.0f %.0f', value, quota.spilled_us, quota.spilled_ns)
  end
  return value, empty_us + 1, 0, level_us, level_ns, 0, 0, 0
end

local bucket = {
  new = new_bucket,
  settle = settle_bucket,
  fits = fits_bucket,
  take = take_bucket,
  finish = finish_bucket,
}

