-- The instant of the question.

local longest_ttl = 0
if us >= 0 then
  -- A test sets the time. Its counters must not expire while it runs.
  longest_ttl = 600000
else
  if not now_us then
    local time = call('TIME')
    now_us = time[1] * 1000000 + time[2]
  end
  us, ns = now_us, 0
end

-- A late question was sent to a server that stood still. To take tokens for it would lose them. It still gives back.
local is_late = until_us > 0 and us > until_us
if is_late then
  taking, cost, demand, want = NOTHING, 0, 0, 0
end

