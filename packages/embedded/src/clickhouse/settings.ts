import { engineError } from './engine-error.ts';

/** Settings that may come in the URL: what changes one statement's reading, writing or limits. */
const ALLOWED = new Set([
  'alter_sync',
  'async_insert',
  'cast_keep_nullable',
  'date_time_input_format',
  'date_time_output_format',
  'deduplicate_blocks_in_dependent_materialized_views',
  'do_not_merge_across_partitions_select_final',
  'extremes',
  'final',
  'insert_deduplicate',
  'insert_deduplication_token',
  'join_use_nulls',
  'lightweight_deletes_sync',
  'log_comment',
  'max_block_size',
  'max_bytes_to_read',
  'max_execution_time',
  'max_insert_block_size',
  'max_memory_usage',
  'max_partitions_per_insert_block',
  'max_result_bytes',
  'max_result_rows',
  'max_rows_to_read',
  'max_threads',
  'min_insert_block_size_bytes',
  'min_insert_block_size_rows',
  'mutations_sync',
  'precise_float_parsing',
  'read_overflow_mode',
  'result_overflow_mode',
  'session_timezone',
  'timeout_overflow_mode',
  'use_query_cache',
  'wait_for_async_insert',
]);

const ALLOWED_FAMILY = /^(input_format|output_format|format_csv|format_tsv)_[a-z0-9_]+$/;

/** An SQL string literal. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/**
 * A setting of the URL as `name = value`.
 *
 * @throws EngineError for one that is not known to belong to a single statement
 */
export function settingClause(name: string, value: string): string {
  if (!ALLOWED.has(name) && !ALLOWED_FAMILY.test(name)) {
    throw engineError(
      115,
      'UNKNOWN_SETTING',
      `Setting ${/^\w{1,100}$/.test(name) ? name : ''} is neither a parameter nor a setting that this endpoint takes from the URL.`,
    );
  }
  return `${name} = ${/^-?\d{1,19}(\.\d{1,9})?$/.test(value) ? value : quote(value)}`;
}
