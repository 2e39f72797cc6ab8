-- Refunds of a sliding window.

function sliding.refund(quota, cost, us, ns)
  local part = part_of(us, ns, quota.part)
  give_back_to_part(quota, cost, part)
end

