-- Instants and spans, and how they are read and written.
--
-- Lua's numbers are doubles, which are exact up to 2^53. The nanoseconds since 1970 are more. So instants and
-- spans are pairs: whole microseconds, and nanoseconds below 1000. Nothing is ever rounded.
--
-- A server runs one script at a time, so its time is what a limiter can take least of. A function of Lua takes 0.1 us to
-- make and 0.05 us to call, and a table that grows takes 0.2 us each time. So a script has only the functions that its
-- question needs, pairs are computed in place where every charge does, and tables are made at their full size. The numbers
-- of a question and of a counter are bytes of one string, which takes a third of the time that text would. They are no
-- longer than they must be, because Lua reads each byte of a new string.

local call, keys, args = redis.call, KEYS, ARGV
local read, write, floor, max, min = struct.unpack, struct.pack, math.floor, math.max, math.min
-- The numbers of the question that is answered.
local numbers

-- The largest count of a counter, as in memory.
local MOST = 4294967295

local function pair(us, ns)
  local carry = floor(ns / 1000)
  return us + carry, ns - carry * 1000
end

-- Returns the span from the earlier instant to the other; 0 if the earlier one lies ahead.
local function since(us, ns, earlier_us, earlier_ns)
  us, ns = us - earlier_us, ns - earlier_ns
  if ns < 0 then
    us, ns = us - 1, ns + 1000
  end
  if us < 0 then
    return 0, 0
  end
  return us, ns
end

local function is_above(us, ns, other_us, other_ns)
  return us > other_us or (us == other_us and ns > other_ns)
end

