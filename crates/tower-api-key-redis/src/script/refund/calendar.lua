-- Refunds of a calendar window.

local function had_begun(quota, us)
  return quota.ends_us == quota.kind.ends(us) and quota.ends_ns == 0
end

day.had_begun, month.had_begun = had_begun, had_begun
day.refund, month.refund = fixed.refund, fixed.refund

