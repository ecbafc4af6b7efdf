-- The ledger, as crates/lease/src/ledger.rs has it: a question for a question the same. Whatever is changed here or there has to
-- be changed in both; crates/ledger/tests/engines/differential.rs compares them.
--
-- KEYS: the ledger, the members, then the counter of each question. The bytes of a message and of a reply are those of
-- crates/ledger/src/valkey/wire.rs.
--
-- ledger    hash   epoch, lost_at, server
-- members   hash   node -> last, said_since, said_epoch, is_removed
-- counter   hash   slice and node -> sequence, granted, used, refunded, expires
--                  'b' -> forgotten, and of a rate level, at, epoch

local FOREVER = 9007199254740991
local WINDOW, IN_ALL, SPANS, RATE, AT_ONCE = 1, 2, 3, 4, 5
local TAKEN, LATE, OTHER_EPOCH, NOT_MEMBER, SUPERSEDED = 0, 1, 2, 3, 4
local GRANTED, SCARCE, HELD, WITHHELD, OVER = 0, 1, 2, 3, 4

local QUESTION = '<BBBI4dI4I4I4I4ddddddI4'
local ROW, FIELD, BUCKET, MEMBER = '<dI4I4I4d', '<dI4', '<dddd', '<dddB'

local run_id

-- The server that runs this, and its history. Either changes when something may be lost.
local function server()
  if not run_id then
    run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  end
  return run_id .. ':' .. string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function read_ledger(key)
  local fields = redis.call('HMGET', key, 'epoch', 'lost_at', 'server')
  if not fields[1] or fields[3] ~= server() then return nil end
  return { epoch = tonumber(fields[1]), lost_at = tonumber(fields[2]) }
end

local function read_members(key)
  local members, all = {}, redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local last, said_since, said_epoch, removed = struct.unpack(MEMBER, all[i + 1])
    members[tonumber(all[i])] =
      { last = last, said_since = said_since, said_epoch = said_epoch, is_removed = removed == 1 }
  end
  return members
end

local function write_member(key, node, member)
  local bytes = struct.pack(MEMBER, member.last, member.said_since, member.said_epoch, member.is_removed and 1 or 0)
  redis.call('HSET', key, string.format('%d', node), bytes)
end

local function awaited(members, epoch)
  local nodes = {}
  for node, member in pairs(members) do
    if not member.is_removed and member.said_epoch ~= epoch then nodes[#nodes + 1] = node end
  end
  table.sort(nodes)
  return nodes
end

-- What is granted of a counter. What counts no more is forgotten.
local function read_grants(key, view)
  local grants = { rows = {}, gone = {}, forgotten = 0, level = 0, at = 0, epoch = 0 }
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local field = all[i]
    if field == 'b' then
      grants.forgotten, grants.level, grants.at, grants.epoch = struct.unpack(BUCKET, all[i + 1])
    else
      local slice, node = struct.unpack(FIELD, field)
      local sequence, granted, used, refunded, expires = struct.unpack(ROW, all[i + 1])
      local member = view.members[node]
      if expires <= view.now or (member and sequence < member.said_since) then
        grants.gone[#grants.gone + 1] = field
      else
        grants.rows[#grants.rows + 1] =
          { slice = slice, node = node, granted = granted, used = used, refunded = refunded }
      end
    end
  end
  return grants
end

local function oldest(q, now)
  return math.max(math.floor(now / q.width) - q.back, 0)
end

local function unspent(row)
  return math.max(row.granted - row.used, 0)
end

-- The bucket of a rate with what has flowed in. Of all others nil.
local function filled(view, q, grants)
  if q.kind ~= RATE then return nil end
  local from, held = oldest(q, view.now), 0
  for _, row in ipairs(grants.rows) do
    local member = view.members[row.node]
    if row.slice >= from and not (member and member.is_removed) then held = held + unspent(row) end
  end
  local level, since = grants.level, grants.at
  if grants.at == 0 or grants.epoch ~= view.epoch then level, since = 0, view.lost_at end
  local passed = math.min(math.max(view.now - since, 0), q.fill)
  local room = math.max(q.burst - held, 0) * q.period
  level = math.min(level + passed * q.amount, math.max(room, level))
  return { level = level, now = math.max(view.now, since, 1), room = room }
end

local function keep_bucket(view, grants, bucket)
  grants.level, grants.at, grants.epoch = bucket.level, bucket.now, view.epoch
end

local function put(q, bucket, units, held)
  bucket.room = bucket.room + held * q.period
  bucket.level = math.min(bucket.level + units * q.period, math.max(bucket.room, bucket.level))
end

local function counts(q, slice, now)
  if q.kind == WINDOW then return slice == q.slice end
  if q.kind == SPANS or q.kind == RATE then return slice >= oldest(q, now) end
  return true
end

-- Units that nobody holds.
local function left(view, q, grants)
  local bucket = filled(view, q, grants)
  if bucket then return math.floor(bucket.level / math.max(q.period, 1)) end
  local granted = 0
  for _, row in ipairs(grants.rows) do
    if counts(q, row.slice, view.now) then granted = granted + row.granted end
  end
  return math.max(q.amount - granted, 0)
end

local function lower(view, q, grants, row, before)
  local freed = row.granted - q.total
  row.granted = q.total
  local bucket = filled(view, q, grants)
  if not bucket then return end
  if q.slice >= oldest(q, view.now) then
    put(q, bucket, freed, freed)
  else
    local refunded = math.max(q.refunded - (before and before.refunded or 0), 0)
    put(q, bucket, math.min(freed, refunded), 0)
  end
  keep_bucket(view, grants, bucket)
end

local function is_withheld(view, q)
  if view.lost_at == 0 or not view.is_awaited then return false end
  if q.kind == WINDOW then return q.begins < view.lost_at + view.grace and view.now < q.ends end
  if q.kind == IN_ALL then return true end
  if q.kind == AT_ONCE then return view.now < view.lost_at + view.ttl end
  return view.now < view.lost_at + (q.back + 1) * q.width + view.grace
end

local function call_others(view, q, grants, recalls)
  local held = false
  for _, other in ipairs(grants.rows) do
    local member = view.members[other.node]
    if other.node ~= view.node and unspent(other) > 0 and counts(q, other.slice, view.now)
      and member and not member.is_removed then
      held = true
      local payload = recalls[other.node] or {}
      payload[#payload + 1] = q.counter .. struct.pack('<d', other.slice)
      recalls[other.node] = payload
    end
  end
  return held
end

local function raise(view, q, grants, row, recalls)
  if q.ends <= view.now then return OVER end
  if is_withheld(view, q) then return WITHHELD end
  local free, bucket = left(view, q, grants), filled(view, q, grants)
  local missing = math.max(q.least - row.granted, 0)
  if missing <= free then
    local more = math.min(free, q.total - row.granted)
    row.granted = row.granted + more
    if bucket then
      bucket.level = math.max(bucket.level - more * q.period, 0)
      keep_bucket(view, grants, bucket)
    end
    return GRANTED
  end
  local flows_in
  if bucket then
    flows_in = math.ceil(math.max(missing * q.period - bucket.level, 0) / math.max(q.amount, 1))
    if flows_in <= view.soon then return SCARCE, flows_in end
  end
  return call_others(view, q, grants, recalls) and HELD or SCARCE, flows_in
end

-- Only what changed is written.
local function write(key, view, q, grants, row, forgotten)
  local values = {
    struct.pack(FIELD, row.slice, row.node),
    struct.pack(ROW, view.sequence, row.granted, row.used, row.refunded, row.expires),
  }
  local bucket = struct.pack(BUCKET, grants.forgotten, grants.level, grants.at, grants.epoch)
  if bucket ~= grants.bucket then values[3], values[4] = 'b', bucket end
  redis.call('HSET', key, unpack(values))
  if grants.forgotten ~= forgotten then
    if grants.forgotten >= FOREVER then
      redis.call('PERSIST', key)
    else
      redis.call('PEXPIREAT', key, string.format('%d', grants.forgotten))
    end
  end
end

local function answer(key, view, q, recalls)
  local now, grants = view.now, read_grants(key, view)
  if #grants.gone > 0 then redis.call('HDEL', key, unpack(grants.gone)) end
  local before, at = nil, #grants.rows + 1
  for i, row in ipairs(grants.rows) do
    if row.slice == q.slice and row.node == view.node then before, at = row, i end
  end
  local held = before and before.granted or 0
  local expires = q.forgotten
  if q.kind == AT_ONCE then expires = now + view.ttl end
  if expires <= now or q.begins > now + view.ahead then return held, 0, OVER end
  local forgotten = grants.forgotten
  grants.bucket = struct.pack(BUCKET, forgotten, grants.level, grants.at, grants.epoch)
  grants.forgotten = math.min(math.max(forgotten, expires + q.fill), FOREVER)
  local row = { slice = q.slice, node = view.node, granted = held, used = q.used, refunded = q.refunded, expires = expires }
  local state, flows_in = GRANTED, nil
  if q.is_restated and not view.has_said then
    row.granted = q.total
  elseif q.total <= row.granted then
    lower(view, q, grants, row, before)
  else
    state, flows_in = raise(view, q, grants, row, recalls)
  end
  grants.rows[at] = row
  write(key, view, q, grants, row, forgotten)
  return row.granted, state == WITHHELD and 0 or left(view, q, grants), state, flows_in
end

local function judge(me, message, epoch)
  if not me or me.is_removed then return NOT_MEMBER end
  if message.epoch ~= epoch then return OTHER_EPOCH end
  if math.floor(message.sequence / 4294967296) < math.floor(me.last / 4294967296) then return SUPERSEDED end
  if message.sequence <= me.last then return LATE end
  return TAKEN
end

local function read_question(bytes, at)
  local q = {}
  local restated
  q.kind, restated, q.back, q.amount, q.slice, q.total, q.least, q.used, q.refunded, q.begins, q.ends, q.forgotten,
    q.width, q.period, q.fill, q.burst, at = struct.unpack(QUESTION, bytes, at)
  q.is_restated = restated == 1
  return q, at
end

-- One message. `first` is the number of the key of its first counter; returns the reply and the number after its last.
local function take(keys, first, bytes, ledger, now, recalls)
  local message, questions, at, said = {}, 0, 0, 0
  local view = { now = now, epoch = ledger.epoch, lost_at = ledger.lost_at }
  message.from, message.sequence, message.epoch, said, view.grace, view.ahead, view.ttl, view.soon, questions, at =
    struct.unpack('<I4dddI4I4I4I4I4', bytes)
  local members = read_members(keys[2])
  local me = members[message.from]
  local outcome, answers = judge(me, message, ledger.epoch), {}
  if outcome == TAKEN then
    view.members, view.node, view.sequence = members, message.from, message.sequence
    view.is_awaited = #awaited(members, ledger.epoch) > 0
    view.has_said = me.said_epoch == ledger.epoch
    for i = 1, questions do
      local q
      q, at = read_question(bytes, at)
      local key = keys[first + i - 1]
      q.counter = string.sub(key, -24)
      local granted, free, state, flows_in = answer(key, view, q, recalls)
      answers[i] = struct.pack('<I4I4Bd', granted, free, state, flows_in or -1)
    end
    me.last = message.sequence
    if said >= 0 then me.said_since, me.said_epoch = said, ledger.epoch end
    write_member(keys[2], message.from, me)
  end
  local present = 0
  for _, member in pairs(members) do
    if not member.is_removed then present = present + 1 end
  end
  local head = struct.pack('<dddI4B', message.sequence, ledger.epoch, now, math.max(present, 1), outcome)
  return head .. table.concat(answers), first + questions
end

local function no_epoch()
  return redis.error_reply('FAIRGATE no epoch')
end

-- ARGV: where recalls go, then one message or more.
local function exchange(keys, args)
  local ledger = read_ledger(keys[1])
  if not ledger then return no_epoch() end
  local now, first, replies, recalls = clock(), 3, {}, {}
  for i = 2, #args do
    replies[i - 1], first = take(keys, first, args[i], ledger, now, recalls)
  end
  for node, payload in pairs(recalls) do
    redis.call('PUBLISH', args[1] .. string.format('%d', node), table.concat(payload))
  end
  return replies
end

-- ARGV: a new epoch, 1 if nothing can have been lost, how many members there are, they, and those that were removed. Whoever
-- comes second finds the epoch of the first.
local function begin(keys, args)
  if read_ledger(keys[1]) then return 0 end
  local epoch, now = tonumber(args[1]), clock()
  local is_first = args[2] == '1' and redis.call('EXISTS', keys[1]) == 0
  local members, present = read_members(keys[2]), tonumber(args[3])
  for i = 4, #args do
    local node = tonumber(args[i])
    local member = members[node] or { said_since = 0, said_epoch = is_first and epoch or 0 }
    member.last, member.is_removed = 0, i > present + 3
    write_member(keys[2], node, member)
  end
  redis.call('HSET', keys[1], 'epoch', string.format('%d', epoch), 'lost_at',
    string.format('%d', is_first and 0 or now), 'server', server())
  return 1
end

-- ARGV: join, remove or go_on, and the node. Or status.
local function member(keys, args)
  local ledger = read_ledger(keys[1])
  if not ledger then return no_epoch() end
  local members = read_members(keys[2])
  if args[1] == 'status' then
    local nodes = {}
    for i, node in ipairs(awaited(members, ledger.epoch)) do nodes[i] = string.format('%d', node) end
    return { string.format('%d', ledger.epoch), string.format('%d', ledger.lost_at), string.format('%d', clock()), nodes }
  end
  local node = tonumber(args[2])
  local one = members[node]
  if args[1] == 'join' then
    if one then return 0 end
    one = { last = 0, said_since = 0, said_epoch = ledger.epoch, is_removed = false }
  elseif not one then
    return 0
  elseif args[1] == 'remove' then
    one.is_removed = true
  else
    one.said_epoch = ledger.epoch
  end
  write_member(keys[2], node, one)
  return 1
end

redis.register_function('@NAME@_exchange', exchange)
redis.register_function('@NAME@_begin', begin)
redis.register_function('@NAME@_member', member)
