-- A window of fixed length, or one that ends with the day or month.
--
-- Each kind of counter has these functions:
--
--   terms      reads the arguments of its quota
--   load       reads the stored counter
--   settle     drops what is over at an instant
--   fits       returns true if a cost has room
--   spare      returns the largest cost that has room
--   lasts_us   returns the microseconds for which tokens charged now count the same
--   refuse     notes when a cost without room would fit (optional)
--   take       takes a cost
--   give_back  gives tokens back that were charged under a mark
--   refund     gives a cost back that was taken at an instant
--   mark       returns the mark of tokens charged now
--   answer     returns the state of the quota
--   store      returns the counter as it is stored
--   idle_us    returns the instant at which the counter is over, in microseconds

local fixed = {}

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
  if quota.ends_us == mark_us and quota.ends_ns == mark_ns and quota.used < MOST then
    quota.used = max(quota.used - tokens, 0)
  end
end

-- Returns true if the open window had begun at an instant.
function fixed.had_begun(quota, us, ns)
  local open_us, open_ns = since(quota.ends_us, quota.ends_ns, us, ns)
  return not is_above(open_us, open_ns, quota.length_us, quota.length_ns)
end

-- Closes a window in which no request is left to count. A count at the largest number may have forgotten some.
function fixed.refund(quota, cost, us, ns)
  local is_open = is_above(quota.ends_us, quota.ends_ns, us, ns)
  if is_open and quota.used < MOST and quota.kind.had_begun(quota, us, ns) then
    quota.used = max(quota.used - cost, 0)
    if quota.used == 0 then
      quota.ends_us, quota.ends_ns = 0, 0
      quota.reset_us, quota.reset_ns = quota.length_us, quota.length_ns
    end
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

local DAY_US = 86400000000

-- Returns the first day of the next month, in days since 1970. Years begin in March, so that a leap day is
-- the last.
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

-- Calendar windows are fixed windows whose length depends on the date.
local day, month = setmetatable({}, { __index = fixed }), setmetatable({}, { __index = fixed })

function day.terms() end

function day.settle(quota, us, ns)
  local ends_us = (floor(us / DAY_US) + 1) * DAY_US
  quota.length_us, quota.length_ns = since(ends_us, 0, us, ns)
  fixed.settle(quota, us, ns)
end

function day.had_begun(quota, us)
  return quota.ends_us == (floor(us / DAY_US) + 1) * DAY_US and quota.ends_ns == 0
end

function month.terms() end

function month.settle(quota, us, ns)
  local ends_us = next_month(floor(us / DAY_US)) * DAY_US
  quota.length_us, quota.length_ns = since(ends_us, 0, us, ns)
  fixed.settle(quota, us, ns)
end

function month.had_begun(quota, us)
  return quota.ends_us == next_month(floor(us / DAY_US)) * DAY_US and quota.ends_ns == 0
end
