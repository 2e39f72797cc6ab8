-- A question: what to take, and the cost.
--
-- KEYS: one hash for each subject. A subject is an account, a key or a set of networks; its hash has a field for each
-- counter, and the field 'at': the latest instant, and one until which the hash lives for sure. Of a set of networks 'at'
-- also has the instant of the latest search for counters that are over, and one before which none is over. Each counter
-- begins with the instant at which it is over, in microseconds.
--
-- ARGV: the numbers, and the field of each quota. The quotas of the first subject come first.

-- The hash of an account or key with more fields than this is searched for counters that are over.
local MANY_FIELDS = 64
-- The longest time by which an instant may be earlier than the latest one. Beyond it, the clock was set back.
local DISORDER_US = 1000000
-- Later than the end of every counter.
local NEVER_US = 9e15
-- What to take.
local NOTHING, ROOM, ALWAYS, BACK = 0, 1, 2, 3

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

-- The instant by the server's clock, once it was asked for. All questions of a call have the same.
local now_us

-- The quotas of a question, the fields and values of a hash, and the answer. The next question of a call writes over them.
-- They have room for two quotas from the start.
local quotas, values = { nil, nil, nil, nil }, { 'at', nil, nil, nil, nil, nil, nil, nil }
local answer = {
  nil, nil, nil, nil, nil, nil, nil,
  nil, nil, nil, nil, nil, nil, nil,
  nil, nil, nil, nil, nil, nil, nil,
}

-- Charges a request to all of its quotas, or to none, in one step. Takes the counts of keys and arguments that lie before
-- those of the question. Returns the answer.
local function ask(keys_before, before)
numbers, before = args[before + 1], before + 1

-- The count of quotas, and of those of the first subject; what to take, the cost, and the instant: below 0 for the
-- server's clock. The numbers of the quotas' kinds, as octal digits from the last one on.
local count, first, taking, cost, us, ns, kinds, place = read('<BBBI4dHd', numbers)

-- The variables of leases, refunds and networks keep these values in a script without them.
--
-- What waiting requests need, and what to take for later ones. A lease takes at most one in `left` of the tokens that are
-- left, and none if the node could hold them for less than a time.
local demand, want, left, shortest_us = 0, 0, 1, 0
-- The tokens to give back.
local back = 0
-- The instant after which nothing waits for the answer; 0 for none.
local until_us = 0
-- The cost to refund, and the instant at which it was taken.
local refund, taken_us, taken_ns = 0, 0, 0
-- The most counters of a set of networks; 0 for accounts and keys. The most with those that networks of a site share.
local most, most_shared = 0, 0
-- The instant of the latest search of a set of networks, and one before which no counter of it is over.
local searched_us, next_us = 0, NEVER_US
-- Returns counters for which there is room, if a network lacks some.
local with_room
-- True if the network counts together with others.
local is_together = false

