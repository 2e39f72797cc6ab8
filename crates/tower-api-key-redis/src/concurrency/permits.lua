-- Keeps the places of an account on a route: a sorted set of permits, each with the instant in
-- microseconds at which its lease is over. The server's clock counts.
--
-- KEYS[1]: the set. ARGV[1]: what to do.
--
--   enter LEASE LIMIT PERMIT      takes a place if there is one: 1 and how many are taken, or 0 and how
--                                 long until the first of them comes back by itself
--   renew LEASE PERMIT...         begins the leases anew, also of permits that were forgotten meanwhile
--   leave PERMIT...               gives places back
--
-- Each may be said twice, as happens where a connection breaks.

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

-- The key goes with the last lease; another process may lease for longer.
local milliseconds = math.ceil(lease / 1000)
if redis.call('PTTL', key) < milliseconds then
  redis.call('PEXPIRE', key, milliseconds)
end
return {1, redis.call('ZCARD', key)}
