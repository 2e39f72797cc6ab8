-- Calendar windows are fixed windows whose length depends on the date.

local DAY_US = 86400000000

-- Returns the end of the day of an instant, in microseconds.
local function day_ends(us)
  return (floor(us / DAY_US) + 1) * DAY_US
end

-- Returns the end of the month of an instant, in microseconds. Years begin in March, so that a leap day is the last.
local function month_ends(us)
  local day = floor(us / DAY_US) + 719468
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
  return (era * 146097 + day - 719468) * DAY_US
end

local function new_day(quota, place, stored, us, ns)
  return new_fixed(quota, place, stored, us, ns, day_ends)
end

local function new_month(quota, place, stored, us, ns)
  return new_fixed(quota, place, stored, us, ns, month_ends)
end

local day = { new = new_day, fits = fits_fixed, finish = finish_fixed }
local month = { new = new_month, fits = fits_fixed, finish = finish_fixed }

