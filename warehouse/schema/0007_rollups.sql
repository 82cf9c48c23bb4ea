-- Small rollups beside daily, so that no answer but a single record's has to read the records.
--
-- They are kept by what is added and taken away, as daily is. The _month tables say the same as their _day tables,
-- month by month: their day is the first of the month.

CREATE TABLE reporter_day (
    day           DATE NOT NULL,
    domain        VARCHAR NOT NULL,
    reporter      VARCHAR NOT NULL,
    doubt         VARCHAR NOT NULL,
    messages      BIGINT NOT NULL,
    aligned       BIGINT NOT NULL,
    dkim_aligned  BIGINT NOT NULL,
    spf_aligned   BIGINT NOT NULL,
    estimated     BIGINT NOT NULL
);
COMMENT ON TABLE reporter_day IS 'Messages by day, domain and reporter: daily without its sources. Several rows may share a key; sum them.';
COMMENT ON COLUMN reporter_day.day IS 'UTC day.';
COMMENT ON COLUMN reporter_day.domain IS 'domain of policy_published.';
COMMENT ON COLUMN reporter_day.reporter IS 'Who reported it.';
COMMENT ON COLUMN reporter_day.doubt IS 'doubt of the reports counted in this row.';
COMMENT ON COLUMN reporter_day.messages IS 'Number of messages.';
COMMENT ON COLUMN reporter_day.aligned IS 'Messages that aligned by DKIM or SPF.';
COMMENT ON COLUMN reporter_day.dkim_aligned IS 'Messages that aligned by DKIM.';
COMMENT ON COLUMN reporter_day.spf_aligned IS 'Messages that aligned by SPF.';
COMMENT ON COLUMN reporter_day.estimated IS 'Messages from reports that cover several days.';

CREATE TABLE source_day (
    day                 DATE NOT NULL,
    domain              VARCHAR NOT NULL,
    source_key          VARCHAR NOT NULL,
    reporter            VARCHAR NOT NULL,
    doubt               VARCHAR NOT NULL,
    messages            BIGINT NOT NULL,
    aligned             BIGINT NOT NULL,
    dkim_aligned        BIGINT NOT NULL,
    spf_aligned         BIGINT NOT NULL,
    overridden          BIGINT NOT NULL,
    quarantined         BIGINT NOT NULL,
    rejected            BIGINT NOT NULL,
    failing_overridden  BIGINT NOT NULL,
    failing_blocked     BIGINT NOT NULL
);
COMMENT ON TABLE source_day IS 'Messages by day, domain and source: daily without its reporters. Several rows may share a key; sum them.';
COMMENT ON COLUMN source_day.day IS 'UTC day.';
COMMENT ON COLUMN source_day.domain IS 'domain of policy_published.';
COMMENT ON COLUMN source_day.source_key IS 'The source (address.source_key).';
COMMENT ON COLUMN source_day.reporter IS 'Who reported it, where that is in doubt; empty where not.';
COMMENT ON COLUMN source_day.doubt IS 'doubt of the reports counted in this row.';
COMMENT ON COLUMN source_day.messages IS 'Number of messages.';
COMMENT ON COLUMN source_day.aligned IS 'Messages that aligned by DKIM or SPF.';
COMMENT ON COLUMN source_day.dkim_aligned IS 'Messages that aligned by DKIM.';
COMMENT ON COLUMN source_day.spf_aligned IS 'Messages that aligned by SPF.';
COMMENT ON COLUMN source_day.overridden IS 'Messages for which the receiver gave a reason for not doing what the policy asked.';
COMMENT ON COLUMN source_day.quarantined IS 'Messages that were quarantined.';
COMMENT ON COLUMN source_day.rejected IS 'Messages that were rejected.';
COMMENT ON COLUMN source_day.failing_overridden IS 'Messages that did not align and were overridden.';
COMMENT ON COLUMN source_day.failing_blocked IS 'Messages that did not align and were quarantined or rejected.';

CREATE TABLE source_month (
    day           DATE NOT NULL,
    domain        VARCHAR NOT NULL,
    source_key    VARCHAR NOT NULL,
    reporter      VARCHAR NOT NULL,
    doubt         VARCHAR NOT NULL,
    messages      BIGINT NOT NULL,
    aligned       BIGINT NOT NULL,
    dkim_aligned  BIGINT NOT NULL,
    spf_aligned   BIGINT NOT NULL,
    first_day     DATE NOT NULL,
    last_day      DATE NOT NULL
);
COMMENT ON TABLE source_month IS 'source_day by months, with the first and the last day of each. Several rows may share a key; sum them.';
COMMENT ON COLUMN source_month.day IS 'First day of the month.';
COMMENT ON COLUMN source_month.domain IS 'domain of policy_published.';
COMMENT ON COLUMN source_month.source_key IS 'The source (address.source_key).';
COMMENT ON COLUMN source_month.reporter IS 'Who reported it, where that is in doubt; empty where not.';
COMMENT ON COLUMN source_month.doubt IS 'doubt of the reports counted in this row.';
COMMENT ON COLUMN source_month.messages IS 'Number of messages.';
COMMENT ON COLUMN source_month.aligned IS 'Messages that aligned by DKIM or SPF.';
COMMENT ON COLUMN source_month.dkim_aligned IS 'Messages that aligned by DKIM.';
COMMENT ON COLUMN source_month.spf_aligned IS 'Messages that aligned by SPF.';
COMMENT ON COLUMN source_month.first_day IS 'First UTC day with messages.';
COMMENT ON COLUMN source_month.last_day IS 'Last UTC day with messages.';

CREATE TABLE address_day (
    day           DATE NOT NULL,
    domain        VARCHAR NOT NULL,
    source_key    VARCHAR NOT NULL,
    source_ip     VARCHAR NOT NULL,
    reporter      VARCHAR NOT NULL,
    doubt         VARCHAR NOT NULL,
    messages      BIGINT NOT NULL,
    aligned       BIGINT NOT NULL,
    dkim_aligned  BIGINT NOT NULL,
    spf_aligned   BIGINT NOT NULL
);
COMMENT ON TABLE address_day IS 'Messages by day, domain and address. Days are those of aggregate_record. Several rows may share a key; sum them.';
COMMENT ON COLUMN address_day.day IS 'The report''s (first) UTC day.';
COMMENT ON COLUMN address_day.domain IS 'domain of policy_published.';
COMMENT ON COLUMN address_day.source_key IS 'The source (address.source_key).';
COMMENT ON COLUMN address_day.source_ip IS 'Address that the mail came from, in canonical text.';
COMMENT ON COLUMN address_day.reporter IS 'Who reported it, where that is in doubt; empty where not.';
COMMENT ON COLUMN address_day.doubt IS 'doubt of the reports counted in this row.';
COMMENT ON COLUMN address_day.messages IS 'Number of messages.';
COMMENT ON COLUMN address_day.aligned IS 'Messages that aligned by DKIM or SPF.';
COMMENT ON COLUMN address_day.dkim_aligned IS 'Messages that aligned by DKIM.';
COMMENT ON COLUMN address_day.spf_aligned IS 'Messages that aligned by SPF.';

CREATE TABLE signature_day (
    day             DATE NOT NULL,
    domain          VARCHAR NOT NULL,
    source_key      VARCHAR NOT NULL,
    signing_domain  VARCHAR,
    selector        VARCHAR,
    result          VARCHAR,
    reporter        VARCHAR NOT NULL,
    doubt           VARCHAR NOT NULL,
    messages        BIGINT NOT NULL
);
CREATE TABLE signature_month AS FROM signature_day;
COMMENT ON TABLE signature_day IS 'Messages by day, domain, source and DKIM result; a message with several signatures counts for each. Several rows may share a key; sum them.';
COMMENT ON COLUMN signature_day.day IS 'The report''s (first) UTC day.';
COMMENT ON COLUMN signature_day.domain IS 'domain of policy_published.';
COMMENT ON COLUMN signature_day.source_key IS 'The source (address.source_key).';
COMMENT ON COLUMN signature_day.signing_domain IS 'd= of the signature; empty for messages without any.';
COMMENT ON COLUMN signature_day.selector IS 's= of the signature, where reported.';
COMMENT ON COLUMN signature_day.result IS 'What the receiver says of it: pass, fail …';
COMMENT ON COLUMN signature_day.reporter IS 'Who reported it, where that is in doubt; empty where not.';
COMMENT ON COLUMN signature_day.doubt IS 'doubt of the reports counted in this row.';
COMMENT ON COLUMN signature_day.messages IS 'Number of messages.';
COMMENT ON TABLE signature_month IS 'signature_day by months. Several rows may share a key; sum them.';
COMMENT ON COLUMN signature_month.day IS 'First day of the month.';
COMMENT ON COLUMN signature_month.domain IS 'domain of policy_published.';
COMMENT ON COLUMN signature_month.source_key IS 'The source (address.source_key).';
COMMENT ON COLUMN signature_month.signing_domain IS 'd= of the signature; empty for messages without any.';
COMMENT ON COLUMN signature_month.selector IS 's= of the signature, where reported.';
COMMENT ON COLUMN signature_month.result IS 'What the receiver says of it: pass, fail …';
COMMENT ON COLUMN signature_month.reporter IS 'Who reported it, where that is in doubt; empty where not.';
COMMENT ON COLUMN signature_month.doubt IS 'doubt of the reports counted in this row.';
COMMENT ON COLUMN signature_month.messages IS 'Number of messages.';

CREATE TABLE envelope_day (
    day         DATE NOT NULL,
    domain      VARCHAR NOT NULL,
    source_key  VARCHAR NOT NULL,
    spf_domain  VARCHAR,
    result      VARCHAR,
    reporter    VARCHAR NOT NULL,
    doubt       VARCHAR NOT NULL,
    messages    BIGINT NOT NULL
);
CREATE TABLE envelope_month AS FROM envelope_day;
COMMENT ON TABLE envelope_day IS 'Messages by day, domain, source and SPF result (the first of each record). Several rows may share a key; sum them.';
COMMENT ON COLUMN envelope_day.day IS 'The report''s (first) UTC day.';
COMMENT ON COLUMN envelope_day.domain IS 'domain of policy_published.';
COMMENT ON COLUMN envelope_day.source_key IS 'The source (address.source_key).';
COMMENT ON COLUMN envelope_day.spf_domain IS 'Domain that SPF was checked for; else the domain of the envelope sender.';
COMMENT ON COLUMN envelope_day.result IS 'What the receiver says of it: pass, softfail …';
COMMENT ON COLUMN envelope_day.reporter IS 'Who reported it, where that is in doubt; empty where not.';
COMMENT ON COLUMN envelope_day.doubt IS 'doubt of the reports counted in this row.';
COMMENT ON COLUMN envelope_day.messages IS 'Number of messages.';
COMMENT ON TABLE envelope_month IS 'envelope_day by months. Several rows may share a key; sum them.';
COMMENT ON COLUMN envelope_month.day IS 'First day of the month.';
COMMENT ON COLUMN envelope_month.domain IS 'domain of policy_published.';
COMMENT ON COLUMN envelope_month.source_key IS 'The source (address.source_key).';
COMMENT ON COLUMN envelope_month.spf_domain IS 'Domain that SPF was checked for; else the domain of the envelope sender.';
COMMENT ON COLUMN envelope_month.result IS 'What the receiver says of it: pass, softfail …';
COMMENT ON COLUMN envelope_month.reporter IS 'Who reported it, where that is in doubt; empty where not.';
COMMENT ON COLUMN envelope_month.doubt IS 'doubt of the reports counted in this row.';
COMMENT ON COLUMN envelope_month.messages IS 'Number of messages.';

CREATE TABLE reason_day (
    day         DATE NOT NULL,
    domain      VARCHAR NOT NULL,
    source_key  VARCHAR NOT NULL,
    "type"      VARCHAR,
    "comment"   VARCHAR,
    reporter    VARCHAR NOT NULL,
    doubt       VARCHAR NOT NULL,
    messages    BIGINT NOT NULL
);
COMMENT ON TABLE reason_day IS 'Messages by day, domain, source and reason for which the receiver did not do what the policy asked. Several rows may share a key; sum them.';
COMMENT ON COLUMN reason_day.day IS 'The report''s (first) UTC day.';
COMMENT ON COLUMN reason_day.domain IS 'domain of policy_published.';
COMMENT ON COLUMN reason_day.source_key IS 'The source (address.source_key).';
COMMENT ON COLUMN reason_day.type IS 'Type of the reason: forwarded, mailing_list, local_policy …';
COMMENT ON COLUMN reason_day.comment IS 'What the receiver adds to it.';
COMMENT ON COLUMN reason_day.reporter IS 'Who reported it, where that is in doubt; empty where not.';
COMMENT ON COLUMN reason_day.doubt IS 'doubt of the reports counted in this row.';
COMMENT ON COLUMN reason_day.messages IS 'Number of messages.';

DROP TABLE rollup_size;
CREATE TABLE rollup_size (
    rollup  VARCHAR NOT NULL,
    rows    BIGINT NOT NULL
);
COMMENT ON TABLE rollup_size IS 'How large each rollup was when it was last looked at for days to melt.';
COMMENT ON COLUMN rollup_size.rollup IS 'Its table.';
COMMENT ON COLUMN rollup_size.rows IS 'Its rows at that time.';

CREATE TABLE rollup_day (
    rollup  VARCHAR NOT NULL,
    day     DATE NOT NULL,
    rows    BIGINT NOT NULL
);
COMMENT ON TABLE rollup_day IS 'How many rows each day of a rollup had when they were last melted together.';
COMMENT ON COLUMN rollup_day.rollup IS 'The rollup''s table.';
COMMENT ON COLUMN rollup_day.day IS 'The day.';
COMMENT ON COLUMN rollup_day.rows IS 'Its rows after that.';

-- What is stored already. daily has the days of all reports, those whose records are gone among them.
INSERT INTO reporter_day
FROM (
    SELECT day, domain, reporter, doubt, sum(messages), coalesce(sum(messages) FILTER (dkim_aligned OR spf_aligned), 0),
           coalesce(sum(messages) FILTER (dkim_aligned), 0), coalesce(sum(messages) FILTER (spf_aligned), 0),
           coalesce(sum(messages) FILTER (estimated), 0)
    FROM daily GROUP BY day, domain, reporter, doubt HAVING sum(messages) <> 0
) ORDER BY date_trunc('week', day), domain, day;

INSERT INTO source_day
FROM (
    SELECT day, domain, source_key, if(doubt = '', '', reporter) AS reporter, doubt, sum(messages),
           coalesce(sum(messages) FILTER (dkim_aligned OR spf_aligned), 0),
           coalesce(sum(messages) FILTER (dkim_aligned), 0), coalesce(sum(messages) FILTER (spf_aligned), 0),
           coalesce(sum(messages) FILTER (overridden), 0), coalesce(sum(messages) FILTER (disposition = 'quarantine'), 0),
           coalesce(sum(messages) FILTER (disposition = 'reject'), 0),
           coalesce(sum(messages) FILTER (overridden AND NOT dkim_aligned AND NOT spf_aligned), 0),
           coalesce(sum(messages) FILTER (
               disposition IN ('quarantine', 'reject') AND NOT dkim_aligned AND NOT spf_aligned), 0)
    FROM daily GROUP BY ALL HAVING sum(messages) <> 0
) ORDER BY date_trunc('week', day), domain, day;

INSERT INTO source_month
SELECT date_trunc('month', day)::DATE, domain, source_key, reporter, doubt, sum(messages), sum(aligned),
       sum(dkim_aligned), sum(spf_aligned), min(day), max(day)
FROM source_day GROUP BY ALL ORDER BY ALL;

INSERT INTO address_day
FROM (
    SELECT day, domain, source_key, source_ip, if(doubt = '', '', reporter), doubt, sum(messages),
           coalesce(sum(messages) FILTER (dkim_aligned OR spf_aligned), 0),
           coalesce(sum(messages) FILTER (dkim_aligned), 0), coalesce(sum(messages) FILTER (spf_aligned), 0)
    FROM aggregate_record JOIN address USING (source_ip) GROUP BY ALL
) ORDER BY date_trunc('week', day), domain, day;

INSERT INTO signature_day
FROM (
    SELECT day, domain, source_key, d.domain, d.selector, d.result, reporter, doubt, sum(messages)
    FROM (
        SELECT day, domain, source_key, if(doubt = '', '', reporter) AS reporter, doubt, messages,
               unnest(if(len(dkim) = 0, [NULL], dkim)) AS d
        FROM aggregate_record JOIN address USING (source_ip)
    ) GROUP BY ALL
) ORDER BY date_trunc('week', day), domain, day;

INSERT INTO signature_month
SELECT date_trunc('month', day)::DATE, * EXCLUDE (day, messages), sum(messages) FROM signature_day GROUP BY ALL ORDER BY ALL;

INSERT INTO envelope_day
FROM (
    SELECT day, domain, source_key, coalesce(spf[1].domain, envelope_from), spf[1].result,
           if(doubt = '', '', reporter), doubt, sum(messages)
    FROM aggregate_record JOIN address USING (source_ip) GROUP BY ALL
) ORDER BY date_trunc('week', day), domain, day;

INSERT INTO envelope_month
SELECT date_trunc('month', day)::DATE, * EXCLUDE (day, messages), sum(messages) FROM envelope_day GROUP BY ALL ORDER BY ALL;

INSERT INTO reason_day
FROM (
    SELECT day, domain, source_key, r.type, r.comment, reporter, doubt, sum(messages)
    FROM (
        SELECT day, domain, source_key, if(doubt = '', '', reporter) AS reporter, doubt, messages, unnest(reasons) AS r
        FROM aggregate_record JOIN address USING (source_ip)
    ) GROUP BY ALL
) ORDER BY date_trunc('week', day), domain, day;

-- All of it is melted, but for daily, whose days are melted when they grow.
INSERT INTO rollup_day
SELECT 'daily', day, count(*) FROM daily GROUP BY day
UNION ALL SELECT 'reporter_day', day, count(*) FROM reporter_day GROUP BY day
UNION ALL SELECT 'source_day', day, count(*) FROM source_day GROUP BY day
UNION ALL SELECT 'source_month', day, count(*) FROM source_month GROUP BY day
UNION ALL SELECT 'address_day', day, count(*) FROM address_day GROUP BY day
UNION ALL SELECT 'signature_day', day, count(*) FROM signature_day GROUP BY day
UNION ALL SELECT 'signature_month', day, count(*) FROM signature_month GROUP BY day
UNION ALL SELECT 'envelope_day', day, count(*) FROM envelope_day GROUP BY day
UNION ALL SELECT 'envelope_month', day, count(*) FROM envelope_month GROUP BY day
UNION ALL SELECT 'reason_day', day, count(*) FROM reason_day GROUP BY day;

INSERT INTO rollup_size SELECT rollup, sum(rows)::BIGINT FROM rollup_day GROUP BY rollup;
