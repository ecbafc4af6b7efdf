-- The ledger, as crates/lease/src/ledger.rs has it: a question for a question the same. Whatever is changed here or there has to
-- be changed in both; crates/ledger/tests/engines/differential.rs compares them.

CREATE OR REPLACE FUNCTION fairgate.@NAME@_clock() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

-- One message. The numbers of a question are those that crates/ledger/src/postgresql/wire.rs writes; the reply is outcome, epoch,
-- clock and members, then four numbers for each answer. NULL: no epoch has begun at this
-- server, or nobody looked which server the session is of.
--
-- Locks: that of the epoch (shared), the node's row, the rows of the counters in their order. What is read of other members
-- may be older than that: then more counts as held than is.
CREATE OR REPLACE FUNCTION fairgate.@NAME@_exchange(
    sender bigint, message bigint, known_epoch bigint, said bigint, asked bytea[], numbers bigint[]
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
    lost bigint;
    present bigint;
    now_ms bigint;
    me record;
    them record;
    kept record;
    reply bigint[];
    has_said boolean;
    is_awaited boolean;
    recalled boolean := false;
    -- A question.
    at_number int := 0;
    kind bigint; restated bigint; back bigint; amount bigint; slice_asked bigint; total bigint; least_total bigint;
    used_now bigint; refunded_now bigint; begins bigint; ends bigint; forgotten_at bigint; width bigint;
    period_ms bigint; fill bigint; burst bigint;
    -- The grants of its counter.
    slices bigint[]; nodes bigint[]; sequences bigint[]; granted bigint[]; used bigint[]; refunded bigint[];
    expires bigint[];
    count int;
    mine int;
    who int;
    oldest bigint;
    rate_held bigint;
    sum_granted bigint;
    unspent bigint;
    -- The bucket: as kept, and as filled.
    level bigint; level_at bigint; level_epoch bigint;
    full_level bigint; full_at bigint; since bigint; room bigint;
    -- The answer.
    hold bigint; before bigint; expires_at bigint; free bigint; missing bigint; more bigint; state bigint;
    flows_in bigint; is_held boolean;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(@LOCK@);
    SELECT epoch, lost_at INTO kept FROM fairgate.ledger WHERE server = current_setting('fairgate.ledger', true);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    lost := kept.lost_at;
    reply := ARRAY[0, kept.epoch, 0, 0];
    SELECT * INTO me FROM fairgate.ledger_members WHERE node = sender FOR UPDATE;
    IF NOT FOUND OR me.is_removed THEN
        reply[1] := 3;
    ELSIF known_epoch <> kept.epoch THEN
        reply[1] := 2;
    ELSIF message >> 32 < me.last >> 32 THEN
        reply[1] := 4;
    ELSIF message <= me.last THEN
        reply[1] := 1;
    ELSIF array_length(asked, 1) > 0 THEN
        INSERT INTO fairgate.ledger_counters (counter)
            SELECT one FROM unnest(asked) AS one GROUP BY one ORDER BY one
            ON CONFLICT DO NOTHING;
        PERFORM 1 FROM fairgate.ledger_counters WHERE counter = ANY (asked) ORDER BY counter FOR UPDATE;
    END IF;
    now_ms := fairgate.@NAME@_clock();
    SELECT array_agg(one.node) AS nodes, array_agg(one.said_since) AS since, array_agg(one.is_removed) AS removed,
        count(*) FILTER (WHERE NOT one.is_removed) AS present,
        coalesce(bool_or(NOT one.is_removed AND one.said_epoch <> known_epoch), false) AS is_awaited
        INTO them FROM fairgate.ledger_members AS one;
    reply[3] := now_ms;
    reply[4] := greatest(them.present, 1);
    IF reply[1] <> 0 THEN
        RETURN reply;
    END IF;
    is_awaited := them.is_awaited;
    has_said := me.said_epoch = known_epoch;

    FOR i IN 1 .. coalesce(array_length(asked, 1), 0) LOOP
        at_number := (i - 1) * 16;
        kind := numbers[at_number + 1]; restated := numbers[at_number + 2]; back := numbers[at_number + 3];
        amount := numbers[at_number + 4]; slice_asked := numbers[at_number + 5]; total := numbers[at_number + 6];
        least_total := numbers[at_number + 7]; used_now := numbers[at_number + 8];
        refunded_now := numbers[at_number + 9]; begins := numbers[at_number + 10]; ends := numbers[at_number + 11];
        forgotten_at := numbers[at_number + 12]; width := numbers[at_number + 13];
        period_ms := numbers[at_number + 14]; fill := numbers[at_number + 15]; burst := numbers[at_number + 16];

        SELECT * INTO kept FROM fairgate.ledger_counters AS one WHERE one.counter = asked[i];
        slices := '{}'; nodes := '{}'; sequences := '{}'; granted := '{}'; used := '{}'; refunded := '{}';
        expires := '{}';
        count := 0; mine := 0; rate_held := 0; sum_granted := 0;
        oldest := greatest(now_ms / width - back, 0);
        FOR j IN 1 .. coalesce(array_length(kept.slices, 1), 0) LOOP
            who := array_position(them.nodes, kept.nodes[j]);
            CONTINUE WHEN kept.expires[j] <= now_ms OR (who IS NOT NULL AND kept.sequences[j] < them.since[who]);
            count := count + 1;
            slices[count] := kept.slices[j]; nodes[count] := kept.nodes[j]; sequences[count] := kept.sequences[j];
            granted[count] := kept.granted[j]; used[count] := kept.used[j]; refunded[count] := kept.refunded[j];
            expires[count] := kept.expires[j];
            IF kept.slices[j] = slice_asked AND kept.nodes[j] = sender THEN
                mine := count;
            END IF;
            IF kept.slices[j] >= oldest AND NOT coalesce(them.removed[who], false) THEN
                rate_held := rate_held + greatest(kept.granted[j] - kept.used[j], 0);
            END IF;
            IF kind IN (2, 5) OR (kind = 1 AND kept.slices[j] = slice_asked) OR (kind = 3 AND kept.slices[j] >= oldest) THEN
                sum_granted := sum_granted + kept.granted[j];
            END IF;
        END LOOP;
        level := kept.level; level_at := kept.at; level_epoch := kept.epoch;
        hold := CASE WHEN mine > 0 THEN granted[mine] ELSE 0 END;
        before := hold;
        flows_in := -1;

        expires_at := CASE WHEN kind = 5 THEN now_ms + @PLACE_TTL@ ELSE forgotten_at END;
        IF expires_at <= now_ms OR begins > now_ms + @AHEAD@ THEN
            reply := reply || ARRAY[hold, 0, 4, -1];
            CONTINUE;
        END IF;

        IF kind = 4 THEN
            IF level_at = 0 OR level_epoch <> known_epoch THEN
                full_level := 0; since := lost;
            ELSE
                full_level := level; since := level_at;
            END IF;
            room := greatest(burst - rate_held, 0) * period_ms;
            full_level := least(
                full_level + least(greatest(now_ms - since, 0), fill) * amount, greatest(room, full_level));
            full_at := greatest(now_ms, since, 1);
        END IF;

        state := 0;
        IF restated = 1 AND NOT has_said THEN
            hold := total;
        ELSIF total <= hold THEN
            more := hold - total;
            hold := total;
            IF kind = 4 THEN
                IF slice_asked >= oldest THEN
                    room := room + more * period_ms;
                ELSE
                    more := least(more,
                        greatest(refunded_now - CASE WHEN mine > 0 THEN refunded[mine] ELSE 0 END, 0));
                END IF;
                level := least(full_level + more * period_ms, greatest(room, full_level));
                level_at := full_at; level_epoch := known_epoch;
            END IF;
        ELSIF ends <= now_ms THEN
            state := 4;
        ELSIF lost > 0 AND is_awaited AND (CASE kind
            WHEN 1 THEN begins < lost + @GRACE@
            WHEN 2 THEN true
            WHEN 5 THEN now_ms < lost + @PLACE_TTL@
            ELSE now_ms < lost + (back + 1) * width + @GRACE@ END)
        THEN
            state := 3;
        ELSE
            free := CASE WHEN kind = 4 THEN full_level / greatest(period_ms, 1) ELSE greatest(amount - sum_granted, 0) END;
            missing := greatest(least_total - hold, 0);
            IF missing <= free THEN
                more := least(free, total - hold);
                hold := hold + more;
                IF kind = 4 THEN
                    level := greatest(full_level - more * period_ms, 0);
                    level_at := full_at; level_epoch := known_epoch;
                END IF;
            ELSE
                state := 1;
                IF kind = 4 THEN
                    flows_in := (greatest(missing * period_ms - full_level, 0) + greatest(amount, 1) - 1)
                        / greatest(amount, 1);
                END IF;
                IF flows_in < 0 OR flows_in > @FLOWS_IN_SOON@ THEN
                    FOR j IN 1 .. count LOOP
                        who := array_position(them.nodes, nodes[j]);
                        IF nodes[j] <> sender AND granted[j] > used[j] AND NOT coalesce(them.removed[who], true)
                            AND (kind IN (2, 5) OR (kind = 1 AND slices[j] = slice_asked)
                                OR (kind IN (3, 4) AND slices[j] >= oldest))
                        THEN
                            state := 2;
                            recalled := true;
                            INSERT INTO fairgate.ledger_recalls AS one (node, counter, slice, at)
                                VALUES (nodes[j], asked[i], slices[j], now_ms)
                                ON CONFLICT (node, counter, slice) DO UPDATE SET at = excluded.at;
                        END IF;
                    END LOOP;
                END IF;
            END IF;
        END IF;

        -- What changes by the new row.
        unspent := greatest(hold - used_now, 0);
        IF mine > 0 THEN
            unspent := unspent - greatest(granted[mine] - used[mine], 0);
        ELSE
            count := count + 1;
            mine := count;
        END IF;
        IF slice_asked >= oldest THEN
            rate_held := rate_held + unspent;
        END IF;
        IF kind IN (1, 2, 5) OR (kind = 3 AND slice_asked >= oldest) THEN
            sum_granted := sum_granted + hold - before;
        END IF;
        slices[mine] := slice_asked; nodes[mine] := sender; sequences[mine] := message; granted[mine] := hold;
        used[mine] := used_now; refunded[mine] := refunded_now; expires[mine] := expires_at;
        UPDATE fairgate.ledger_counters AS one SET
            forgotten = least(greatest(one.forgotten, expires_at + fill), @FOREVER@),
            level = level, at = level_at, epoch = level_epoch, slices = slices, nodes = nodes,
            sequences = sequences, granted = granted, used = used, refunded = refunded, expires = expires
            WHERE one.counter = asked[i];

        IF state = 3 THEN
            free := 0;
        ELSIF kind = 4 THEN
            IF level_at = 0 OR level_epoch <> known_epoch THEN
                full_level := 0; since := lost;
            ELSE
                full_level := level; since := level_at;
            END IF;
            full_level := least(full_level + least(greatest(now_ms - since, 0), fill) * amount,
                greatest(greatest(burst - rate_held, 0) * period_ms, full_level));
            free := full_level / greatest(period_ms, 1);
        ELSE
            free := greatest(amount - sum_granted, 0);
        END IF;
        reply := reply || ARRAY[hold, free, state, flows_in];
    END LOOP;

    UPDATE fairgate.ledger_members AS one SET
        last = message,
        said_since = CASE WHEN said >= 0 THEN said ELSE one.said_since END,
        said_epoch = CASE WHEN said >= 0 THEN known_epoch ELSE one.said_epoch END
        WHERE one.node = sender;
    IF recalled THEN
        PERFORM pg_notify('fairgate_ledger_recalls', '');
    END IF;
    RETURN reply;
END
$$;

-- Begins an epoch, unless there is one that began at this server. Whoever comes second finds the epoch of the first.
CREATE OR REPLACE FUNCTION fairgate.@NAME@_begin(
    new_epoch bigint, this_server text, is_first boolean, present bigint[], removed bigint[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    was_there boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(@LOCK@);
    PERFORM 1 FROM fairgate.ledger WHERE server = this_server;
    IF FOUND THEN
        RETURN;
    END IF;
    DELETE FROM fairgate.ledger;
    was_there := FOUND;
    is_first := is_first AND NOT was_there;
    INSERT INTO fairgate.ledger_members AS one (node, last, said_since, said_epoch, is_removed)
        SELECT node, 0, 0, CASE WHEN is_first THEN new_epoch ELSE 0 END, node = ANY (removed)
        FROM unnest(present || removed) AS node GROUP BY node
        ON CONFLICT (node) DO UPDATE SET last = 0, is_removed = excluded.is_removed;
    INSERT INTO fairgate.ledger
        VALUES (true, new_epoch, CASE WHEN is_first THEN 0 ELSE fairgate.@NAME@_clock() END, this_server);
END
$$;
