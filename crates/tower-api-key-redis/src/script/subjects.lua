-- The instant, and the counters of all subjects.

-- The hash of an account or key with more fields than this is searched for counters that are over.
local MANY_FIELDS = 64
-- The longest time by which an instant may be earlier than the latest one. Beyond it, the clock was set back.
local DISORDER_US = 1000000
-- Later than the end of every counter.
local NEVER_US = 9e15

local longest_ttl = 0
if us >= 0 then
  -- A test sets the time. Its counters must not expire while it runs.
  longest_ttl = 600000
else
  local time = call('TIME')
  us, ns = time[1] * 1000000 + time[2], 0
end

-- A late question was sent to a server that stood still. To take tokens for it would lose them. It still gives back.
local is_late = until_us > 0 and us > until_us
if is_late then
  taking, cost, demand, want = NOTHING, 0, 0, 0
end

-- Deletes the counters of a hash that are over, and returns the instant at which the next one is over.
local function drop_idle(key, us)
  local all, next_us = call('HGETALL', key), NEVER_US
  for index = 1, #all, 2 do
    if all[index] ~= 'at' then
      local value = all[index + 1]
      local ends_us = #value >= 8 and read('<d', value) or 0
      if ends_us <= us then
        call('HDEL', key, all[index])
      else
        next_us = min(next_us, ends_us)
      end
    end
  end
  return next_us
end

-- Returns counters for which there is room, if a network lacks some.
local with_room
-- True if the network counts together with others.
local is_together = false

