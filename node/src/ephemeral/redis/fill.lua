-- Keeps profiles, but not over a newer version, nor over a void of one.
-- KEYS: users. ARGV: for how many milliseconds; then for each its version and its profile.
for i, key in ipairs(KEYS) do
  local version, profile = ARGV[2 * i], ARGV[2 * i + 1]
  local known = redis.call('GET', key)
  if not known or tonumber(string.match(known, '^%d+')) <= tonumber(version) then
    redis.call('SET', key, version .. ' ' .. profile, 'PX', ARGV[1])
  end
end
