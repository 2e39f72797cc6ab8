-- A leaky bucket.

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
  -- The division may have rounded up.
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

-- Gives nothing back: an unknown part of the tokens has drained meanwhile.
function bucket.give_back() end

-- Gives back what has not drained of a cost.
function bucket.refund(quota, cost, taken_us, taken_ns, us, ns)
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
  return exact(quota.empty_us) .. ' ' .. quota.empty_ns
end

function bucket.idle_us(quota)
  return quota.empty_us + 1
end

