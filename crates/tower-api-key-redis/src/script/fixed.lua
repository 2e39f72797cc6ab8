-- A window of fixed length, or one that ends with the day or month.
--
-- Each kind of counter has these functions:
--
--   new     reads the numbers of its quota from a place on, and the stored counter; drops what is over at an instant;
--           returns the quota, and the place behind its numbers; writes over another quota of its kind, if there is one
--   fits    returns true if a cost has room
--   refuse  notes when a cost without room would fit (optional)
--   finish  takes tokens at an instant; returns the counter as it is stored, the instant at which it is over in
--           microseconds, the state of the quota as four numbers, and the mark of tokens charged now
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

-- The window ends at a date if a function returns the date.
local function new_fixed(quota, place, stored, us, ns, date)
  local limit, shadow, length_us, length_ns
  if date then
    limit, shadow, place = read('<I4B', numbers, place)
    length_us, length_ns = since(date(us), 0, us, ns)
  else
    limit, shadow, length_us, length_ns, place = read('<I4BdH', numbers, place)
  end
  local ends_us, ends_ns, used = 0, 0, 0
  if stored and #stored == 24 then
    ends_us, ends_ns, used = read('<ddd', stored)
  end
  local reset_us, reset_ns = length_us, length_ns
  if ends_us > us or (ends_us == us and ends_ns > ns) then
    local open_us, open_ns = ends_us - us, ends_ns - ns
    if open_ns < 0 then
      open_us, open_ns = open_us - 1, open_ns + 1000
    end
    if open_us > length_us or (open_us == length_us and open_ns > length_ns) then
      ends_us, ends_ns = pair(us + length_us, ns + length_ns)
    else
      reset_us, reset_ns = open_us, open_ns
    end
  else
    ends_us, ends_ns, used = 0, 0, 0
  end
  quota = quota or {
    limit = 0,
    shadow = 0,
    length_us = 0,
    length_ns = 0,
    ends_us = 0,
    ends_ns = 0,
    used = 0,
    reset_us = 0,
    reset_ns = 0,
  }
  quota.limit, quota.shadow, quota.length_us, quota.length_ns = limit, shadow, length_us, length_ns
  quota.ends_us, quota.ends_ns, quota.used = ends_us, ends_ns, used
  quota.reset_us, quota.reset_ns = reset_us, reset_ns
  return quota, place
end

local function fits_fixed(quota, cost)
  return cost <= quota.limit - quota.used or cost <= 0
end

local function finish_fixed(quota, tokens, us, ns)
  local ends_us, ends_ns, used = quota.ends_us, quota.ends_ns, quota.used
  local reset_us, reset_ns = quota.reset_us, quota.reset_ns
  if tokens > 0 then
    ends_us, ends_ns, used = us + reset_us, ns + reset_ns, used + tokens
    if ends_ns >= 1000 then
      ends_us, ends_ns = ends_us + 1, ends_ns - 1000
    end
    if used > MOST then
      used = MOST
    end
  end
  local value = write('<ddd', ends_us, ends_ns, used)
  return value, ends_us + 1, used, reset_us, reset_ns, 0, ends_us, ends_ns
end

local fixed = { new = new_fixed, fits = fits_fixed, finish = finish_fixed }

