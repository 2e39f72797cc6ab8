-- Leases of a fixed window.

function fixed.spare(quota)
  return max(quota.limit - quota.used, 0)
end

function fixed.lasts_us(quota)
  return quota.reset_us
end

function fixed.give_back(quota, tokens, mark_us, mark_ns)
  if quota.ends_us == mark_us and quota.ends_ns == mark_ns and quota.used < MOST then
    quota.used = max(quota.used - tokens, 0)
  end
end

