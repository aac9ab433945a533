-- Filled only by CDC. Any row may arrive any number of times, in any order; FINAL over n copies is
-- one row, because the partition and the sorting key are functions of the row alone.
CREATE TABLE IF NOT EXISTS events
(
    event_id      UUID,
    type          LowCardinality(String),
    user_id       String,
    ts            DateTime64(6, 'UTC'),
    value         Nullable(Float64),
    properties    String,
    experiment_id Nullable(UInt32),
    -- epoch of the source database in the upper 16 bits, LSN of the change below; 0 for backfill
    _version      UInt64,
    _deleted      UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(_version, _deleted)
PARTITION BY toYYYYMM(ts)
ORDER BY (type, user_id, ts, event_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS assignments
(
    experiment_id UInt32,
    user_id       String,
    variant_id    UInt32,
    version       UInt32,
    source        LowCardinality(String),
    bucket        UInt16,
    assigned_at   DateTime64(6, 'UTC'),
    context       String,
    _version      UInt64,
    _deleted      UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(_version, _deleted)
ORDER BY (experiment_id, user_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0;

-- How far the sink has come: the commit time of the last transaction inserted in all tables.
CREATE TABLE IF NOT EXISTS cdc_watermark
(
    source       LowCardinality(String),
    committed_at DateTime64(6, 'UTC'),
    position     String
)
ENGINE = ReplacingMergeTree(committed_at)
ORDER BY source
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0;

-- A restored database has smaller LSNs than the rows it sent before: each (system, timeline) seen
-- gets the next epoch.
CREATE TABLE IF NOT EXISTS cdc_epochs
(
    system_identifier String,
    timeline          UInt32,
    epoch             UInt16
)
ENGINE = ReplacingMergeTree
ORDER BY (system_identifier, timeline);
