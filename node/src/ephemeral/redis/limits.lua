-- Takes a token of each bucket in order, up to the first that has none.
-- KEYS: buckets. ARGV, for each: its token's share and its period, and in how many microseconds it is full for all that
-- the caller knows. Answers for each that was asked: whether it gave one, and in how many microseconds it is full now.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answers = {}
for i, bucket in ipairs(KEYS) do
  local share, period, known = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local full_in = math.max((tonumber(redis.call('GET', bucket) or 0)) - now, known, 0)
  -- More than that it never is, unless the clock was set back.
  full_in = math.min(full_in, period)
  local ahead = full_in + share
  if ahead > period then
    answers[#answers + 1] = 0
    answers[#answers + 1] = full_in
    return answers
  end
  redis.call('SET', bucket, string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
  answers[#answers + 1] = 1
  answers[#answers + 1] = ahead
end
return answers
