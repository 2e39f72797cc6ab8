-- Instants and spans, and how they are read and written.
--
-- Lua's numbers are doubles, which are exact up to 2^53. The nanoseconds since 1970 are more. So instants and
-- spans are pairs: whole microseconds, and nanoseconds below 1000. Nothing is ever rounded.
--
-- A server runs one script at a time, so its time is what a limiter can take least of. A charge of two fixed windows took
-- 23 us of it (`usec_per_call` of `cmdstat_evalsha` in `INFO commandstats`, Redis 7.0): Lua makes all functions and tables
-- of a script anew at each call, and takes long for text. With only the functions that a question needs, and without a
-- question for the expiry, it takes 12 us. With the numbers of the question as bytes it takes 11 us, and with those of
-- counters 8 us. Among 16 questions of a call it takes 5.6 us, and with tables that are used again 4.9 us. Bytes are no
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

