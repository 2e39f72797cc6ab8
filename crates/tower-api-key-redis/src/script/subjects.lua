-- The instant, the subjects and their quotas.

-- The hash of an account or key with more fields than this is searched for counters that are over.
local MANY_FIELDS = 64
-- The longest time by which an instant may be earlier than the latest one. Beyond it, the clock was set back.
local DISORDER_US = 1000000
-- The shortest time between two searches of a set of networks for counters that are over.
local SEARCH_US = 1000000
-- Later than the end of every counter.
local NEVER_US = 9e15

local us, ns, longest_ttl = args[read + 1], args[read + 2], 0
if us ~= '' then
  -- A test sets the time. Its counters must not expire while it runs.
  us, ns, longest_ttl = us + 0, ns + 0, 600000
else
  local time = call('TIME')
  us, ns = time[1] * 1000000 + time[2], 0
end
read = read + 2

-- A late question was sent to a server that stood still. To take tokens for it would lose them. It still gives back.
local is_late = until_us > 0 and us > until_us
if is_late then
  taking, cost, demand, want = 'nothing', 0, 0, 0
end

local subjects = { nil, nil }
for index = 1, #keys do
  subjects[index] = {
    fields = { 'at', nil, nil, nil },
    quotas = { nil, nil, nil, nil },
    size = 0,
    stored = 0,
    exists = false,
    lives_us = 0,
    searched_us = 0,
    next_us = NEVER_US,
  }
end
local last, count = #args, 0
while read < last do
  local subject, kind = subjects[args[read + 1] + 0], KINDS[args[read + 3]]
  local size = subject.size + 1
  subject.size, subject.fields[size + 1] = size, args[read + 2]
  local quota, after = kind.new(read + 4)
  if back > 0 then
    quota.mark_us, quota.mark_ns = args[after] + 0, args[after + 1] + 0
    after = after + 2
  end
  count, read = count + 1, after - 1
  quota.kind, quota.place, subject.quotas[size] = kind, count, quota
end

-- Deletes the counters of a hash that are over, and returns the instant at which the next one is over.
local function drop_idle(key, us)
  local all, next_us = call('HGETALL', key), NEVER_US
  for place = 1, #all, 2 do
    if all[place] ~= 'at' then
      local ends_us = tonumber(match(all[place + 1], '^%d+')) or 0
      if ends_us <= us then
        call('HDEL', key, all[place])
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

