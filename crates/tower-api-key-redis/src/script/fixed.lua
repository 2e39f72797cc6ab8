-- A window of fixed length, or one that ends with the day or month.
--
-- Each kind of counter has these functions:
--
--   new     reads the arguments of its quota
--   settle  reads the stored counter, and drops what is over at an instant
--   fits    returns true if a cost has room
--   refuse  notes when a cost without room would fit (optional)
--   take    takes a cost
--   finish  returns the counter as it is stored, the instant at which it is over in microseconds, the state of the
--           quota as four numbers, and the mark of tokens charged now
--
-- For leases:
--
--   spare      returns the largest cost that has room
--   lasts_us   returns the microseconds for which tokens charged now count the same
--   give_back  gives tokens back that were charged under a mark
--
-- For refunds:
--
--   refund  gives a cost back that was taken at an instant

local function new_fixed(at, length_us, length_ns)
  return {
    limit = args[at] + 0,
    shadow = args[at + 1],
    length_us = length_us or args[at + 2] + 0,
    length_ns = length_ns or args[at + 3] + 0,
    ends_us = 0,
    ends_ns = 0,
    used = 0,
    reset_us = 0,
    reset_ns = 0,
  }, at + 4
end

local function settle_fixed(quota, value, us, ns)
  local length_us, length_ns = quota.length_us, quota.length_ns
  local ends_us, ends_ns, used
  if value then
    ends_us, ends_ns, used = match(value, '^(%d+) (%d+) (%d+)')
  end
  ends_us, ends_ns = (ends_us or 0) + 0, (ends_ns or 0) + 0
  if ends_us > us or (ends_us == us and ends_ns > ns) then
    local reset_us, reset_ns = ends_us - us, ends_ns - ns
    if reset_ns < 0 then
      reset_us, reset_ns = reset_us - 1, reset_ns + 1000
    end
    if reset_us > length_us or (reset_us == length_us and reset_ns > length_ns) then
      reset_us, reset_ns = length_us, length_ns
      ends_us, ends_ns = pair(us + length_us, ns + length_ns)
    end
    quota.ends_us, quota.ends_ns, quota.used = ends_us, ends_ns, (used or 0) + 0
    quota.reset_us, quota.reset_ns = reset_us, reset_ns
  else
    quota.reset_us, quota.reset_ns = length_us, length_ns
  end
end

local function fits_fixed(quota, cost)
  local spare = quota.limit - quota.used
  return cost <= spare or cost <= 0
end

local function take_fixed(quota, cost, us, ns)
  if cost > 0 then
    us, ns = us + quota.reset_us, ns + quota.reset_ns
    if ns >= 1000 then
      us, ns = us + 1, ns - 1000
    end
    local used = quota.used + cost
    quota.ends_us, quota.ends_ns, quota.used = us, ns, used < MOST and used or MOST
  end
end

local function finish_fixed(quota)
  local ends_us, ends_ns, used = quota.ends_us, quota.ends_ns, quota.used
  local value = format('%.0f %.0f %.0f', ends_us, ends_ns, used)
  return value, ends_us + 1, used, quota.reset_us, quota.reset_ns, 0, ends_us, ends_ns
end

local fixed = {
  new = new_fixed,
  settle = settle_fixed,
  fits = fits_fixed,
  take = take_fixed,
  finish = finish_fixed,
}

