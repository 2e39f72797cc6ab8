-- The permits of an account on a route: a sorted set of names. The score of a name is the instant, in
-- microseconds, at which its lease ends. The server's clock counts.
--
-- KEYS[1]: the set. ARGV[1]: the action. LEASE is in microseconds.
--
--   enter LEASE LIMIT PERMIT      Takes the permit if fewer than LIMIT are taken. Returns 1 and the number of
--                                 taken permits, or 0 and the microseconds until the first lease ends.
--   renew LEASE PERMIT...         Starts the leases again, also of permits that the server has lost.
--   leave PERMIT...               Gives the permits back.
--
-- Every action may be repeated, which happens when a connection breaks.

local key, action = KEYS[1], ARGV[1]

if action == 'leave' then
  local left = 0
  for i = 2, #ARGV do
    left = left + redis.call('ZREM', key, ARGV[i])
  end
  return {left}
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local lease = tonumber(ARGV[2])
local ends = string.format('%.0f', now + lease)

redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))

if action == 'enter' then
  local permit = ARGV[4]
  if not redis.call('ZSCORE', key, permit) and redis.call('ZCARD', key) >= tonumber(ARGV[3]) then
    local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    return {0, tonumber(first[2]) - now}
  end
  redis.call('ZADD', key, ends, permit)
else
  for i = 3, #ARGV do
    redis.call('ZADD', key, ends, ARGV[i])
  end
end

-- The key expires with the last lease. Another process may have a longer lease.
local milliseconds = math.ceil(lease / 1000)
if redis.call('PTTL', key) < milliseconds then
  redis.call('PEXPIRE', key, milliseconds)
end
return {1, redis.call('ZCARD', key)}
