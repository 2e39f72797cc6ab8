-- A leaky bucket. It remembers when it last ran over, as in memory.

local bucket = {}

-- Reads the time that one request takes to drain, and the capacity. Reads the level up to which requests may
-- fill the bucket, and the time for which tokens may be held.
function bucket.terms(quota)
  quota.interval_us, quota.interval_ns = number(), number()
  quota.capacity_us, quota.capacity_ns = number(), number()
  quota.brim_us, quota.brim_ns = number(), number()
  quota.lease_us = number()
end

function bucket.load(quota, value)
  local stored = numbers(value)
  quota.empty_us, quota.empty_ns = stored[1] or 0, stored[2] or 0
  quota.spilled_us, quota.spilled_ns = stored[3] or 0, stored[4] or 0
end

-- Fills the bucket up to a level. What is above the capacity runs over at an instant, and is forgotten.
local function fill(quota, level_us, level_ns, us, ns)
  if is_above(level_us, level_ns, quota.capacity_us, quota.capacity_ns) then
    level_us, level_ns = quota.capacity_us, quota.capacity_ns
    quota.spilled_us, quota.spilled_ns = us, ns
  end
  quota.level_us, quota.level_ns = level_us, level_ns
end

function bucket.settle(quota, us, ns)
  local level_us, level_ns = since(quota.empty_us, quota.empty_ns, us, ns)
  fill(quota, level_us, level_ns, us, ns)
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
  -- The division may have rounded up.
  while spare > 0 and not bucket.fits(quota, spare) do
    spare = spare - 1
  end
  return spare
end

function bucket.lasts_us(quota)
  return quota.lease_us
end

-- A cost above the limit runs over. A product with a larger one would not be exact.
function bucket.take(quota, cost, us, ns)
  local level_us, level_ns = filled(quota, min(cost, quota.limit + 1))
  fill(quota, level_us, level_ns, us, ns)
end

-- Gives nothing back: an unknown part of the tokens has drained meanwhile.
function bucket.give_back() end

-- Gives back what has not drained of a cost, unless the bucket ran over since: what ran over may fill its place.
function bucket.refund(quota, cost, taken_us, taken_ns, us, ns)
  if not is_above(taken_us, taken_ns, quota.spilled_us, quota.spilled_ns) then
    return
  end
  local given_us, given_ns = pair(quota.interval_us * cost, quota.interval_ns * cost)
  given_us, given_ns = since(given_us, given_ns, since(us, ns, taken_us, taken_ns))
  quota.level_us, quota.level_ns = since(quota.level_us, quota.level_ns, given_us, given_ns)
end

function bucket.mark()
  return 0, 0
end

function bucket.answer(quota)
  return 0, quota.level_us, quota.level_ns, 0
end

function bucket.store(quota, us, ns)
  quota.empty_us, quota.empty_ns = pair(us + quota.level_us, ns + quota.level_ns)
  local stored = exact(quota.empty_us) .. ' ' .. quota.empty_ns
  if quota.spilled_us > 0 then
    stored = stored .. ' ' .. exact(quota.spilled_us) .. ' ' .. quota.spilled_ns
  end
  return stored
end

function bucket.idle_us(quota)
  return quota.empty_us + 1
end

