-- Instants and spans, and how they are read and written.
--
-- Lua's numbers are doubles, which are exact up to 2^53. The nanoseconds since 1970 are more. So instants and
-- spans are pairs: whole microseconds, and nanoseconds below 1000. Nothing is ever rounded.

local floor, max, min = math.floor, math.max, math.min

-- The largest count of a counter, as in memory.
local MOST = 4294967295

local read = 0
local function text()
  read = read + 1
  return ARGV[read]
end
local function number()
  return tonumber(text())
end

local function pair(us, ns)
  local carry = floor(ns / 1000)
  return us + carry, ns - carry * 1000
end

-- Returns the span from the earlier instant to the other; 0 if the earlier one lies ahead.
local function since(us, ns, earlier_us, earlier_ns)
  us, ns = pair(us - earlier_us, ns - earlier_ns)
  if us < 0 then
    return 0, 0
  end
  return us, ns
end

local function is_above(us, ns, other_us, other_ns)
  return us > other_us or (us == other_us and ns > other_ns)
end

local function exact(value)
  return string.format('%.0f', value)
end

local function numbers(value)
  local all = {}
  for digits in string.gmatch(value or '', '%d+') do
    all[#all + 1] = tonumber(digits)
  end
  return all
end

