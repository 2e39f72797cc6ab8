-- Leases of a sliding window.

function sliding.spare(quota)
  return max(quota.limit - quota.used, 0)
end

function sliding.lasts_us(quota)
  return floor((quota.part - quota.passed) / 1000)
end

function sliding.give_back(quota, tokens, part)
  give_back_to_part(quota, tokens, part)
end

