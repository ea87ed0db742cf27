-- Voids what is kept of users below a version, and tells every node.
-- KEYS: users. ARGV: for how many milliseconds; the channel; the message; then for each the version.
for i, key in ipairs(KEYS) do
  local version = ARGV[i + 3]
  local known = redis.call('GET', key)
  if not known or tonumber(string.match(known, '^%d+')) < tonumber(version) then
    redis.call('SET', key, version, 'PX', ARGV[1])
  end
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
