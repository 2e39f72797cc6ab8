-- The question: what to take, and the cost. The variables of leases, refunds and networks keep these values in a script
-- without them.
--
-- KEYS: one hash for each subject. A subject is an account, a key or a set of networks; its hash has a field for each
-- counter, and the field 'at': the latest instant, and one until which the hash lives for sure. Of a set of networks 'at'
-- also has the instant of the latest search for counters that are over, and one before which none is over. Each counter
-- begins with the instant at which it is over, in microseconds.
--
-- ARGV: the numbers, and the field of each quota. The quotas of the first subject come first.

-- What to take.
local NOTHING, ROOM, ALWAYS, BACK = 0, 1, 2, 3

-- The count of the first subject's quotas, what to take, the cost, and the instant: below 0 for the server's clock.
local first, taking, cost, us, ns, place = read('<ddddd', numbers)

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
-- The count of arguments before the fields.
local before = 1

