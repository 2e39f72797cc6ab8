-- Refunds of a calendar window.

function day.had_begun(quota, us)
  return quota.ends_us == day_ends(us) and quota.ends_ns == 0
end

function month.had_begun(quota, us)
  return quota.ends_us == month_ends(us) and quota.ends_ns == 0
end

day.refund, month.refund = fixed.refund, fixed.refund

