-- Refunds of a leaky bucket.

-- Gives back what has not drained of a cost, unless the bucket ran over since: what ran over may fill its place.
function bucket.refund(quota, cost, taken_us, taken_ns, us, ns)
  if not is_above(taken_us, taken_ns, quota.spilled_us, quota.spilled_ns) then
    return
  end
  local given_us, given_ns = pair(quota.interval_us * cost, quota.interval_ns * cost)
  given_us, given_ns = since(given_us, given_ns, since(us, ns, taken_us, taken_ns))
  quota.level_us, quota.level_ns = since(quota.level_us, quota.level_ns, given_us, given_ns)
end

