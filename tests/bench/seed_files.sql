-- Builds with their files, for tests.bench.seed, set by set. Build n stands for the n-th job; the last is the newest.
-- What stands in braces is SQL that it fills in. Each set is analyzed: what the database knows of a
-- table that was empty a moment ago makes it join row by row.
SELECT setseed(0.7);

INSERT INTO build (id, project_id, origin, key, name, is_shared, opened_by, ref, commit, state,
    opened_at, sealed_at, published_at, sealed_in_attempt, refused)
SELECT md5('seed build ' || n)::uuid, place.project, job, CASE WHEN is_release THEN NULL ELSE job END,
    CASE WHEN NOT is_release AND n %% 50 = 0 THEN 'nightly' ELSE '' END, false,
    CASE WHEN is_release THEN 'api:release-bot' ELSE 'ci:' || place.repository || '#' || run END,
    CASE WHEN is_release THEN '' WHEN n %% 20 = 0 THEN 'refs/tags/v1.' || n / 500 || '.' || n %% 500
        WHEN n %% 7 = 0 THEN 'refs/heads/feature/' || n %% 90 ELSE 'refs/heads/main' END,
    CASE WHEN is_release THEN '' ELSE encode(sha256(('commit' || n / 2)::bytea), 'hex')::char(40) END,
    state, opened_at,
    CASE WHEN state <> 'open' THEN opened_at + interval '4 minutes' END,
    CASE WHEN state = 'published' THEN opened_at + interval '4 minutes 3 seconds' END,
    CASE WHEN is_release OR state = 'open' THEN '' ELSE '1' END,
    CASE WHEN state = 'refused' THEN
        '{"code": "unattestable-event", "event": "pull_request_target"}'::jsonb END
FROM (
    SELECT n, 9000000000 + n AS run, n %% 9 = 0 AS is_release,
        CASE WHEN n %% 997 = 0 THEN 'refused' WHEN n > %(builds)s - 60 AND n %% 3 = 0 THEN 'sealed'
            WHEN n > %(builds)s - 60 AND n %% 7 = 0 THEN 'open' ELSE 'published' END AS state,
        %(now)s::timestamptz - interval '10 minutes'
            - interval '400 days' * power((%(builds)s - n)::float / %(builds)s, 1.7) AS opened_at,
        1 + floor(cardinality(%(projects)s::uuid[]) * power(random(), 2))::int AS at
    FROM generate_series(1, %(builds)s) AS n
) AS drawn
JOIN unnest(%(projects)s::uuid[], %(repositories)s::text[]) WITH ORDINALITY
    AS place (project, repository, ordinality) ON place.ordinality = drawn.at
CROSS JOIN LATERAL (SELECT CASE WHEN is_release THEN 'release'
    ELSE %(issuer)s || '#4242/' || run || '/1/31337' END AS job) AS named;
ANALYZE build;

INSERT INTO contribution (build_id, job, witnessed, witnessed_sha256, joined_at)
SELECT build.id, origin,
    CASE WHEN key IS NULL THEN NULL ELSE {facts}::jsonb END,
    CASE WHEN key IS NULL THEN '' ELSE encode(sha256(build.id::text::bytea), 'hex') END, opened_at
FROM build JOIN {places} ON place.project = build.project_id;
ANALYZE contribution;

-- Four files a build; three builds in a row have the same bill of materials.
INSERT INTO blob (sha256, size_bytes, key, etag, version_id, state, stored_at)
SELECT digest, floor(exp(7 + 11 * random())), 'blobs/sha256/' || left(digest, 2) || '/' || digest,
    '', '', 'live', opened_at + interval '1 minute'
FROM generate_series(1, %(builds)s) AS n
CROSS JOIN generate_series(1, 4) AS file
CROSS JOIN LATERAL (SELECT encode(sha256(('seed ' || n || ' ' || file)::bytea), 'hex') AS digest) AS d
JOIN build ON build.id = md5('seed build ' || n)::uuid
WHERE file < 4 OR n %% 3 = 1;
ANALYZE blob;

INSERT INTO artifact (id, project_id, build_id, contribution_id, origin, path, blob_id, ref,
    ref_is_protected, stored_at)
SELECT md5('seed artifact ' || n || ' ' || file)::uuid, build.project_id, build.id, contribution.id,
    NULL, CASE file
        WHEN 1 THEN 'dist/' || slug || '-1.' || n / 500 || '.' || n %% 500 || '-py3-none-any.whl'
        WHEN 2 THEN 'dist/' || slug || '-1.' || n / 500 || '.' || n %% 500 || '.tar.gz'
        WHEN 3 THEN 'dist/linux-amd64/' || slug
        ELSE 'dist/' || slug || '.spdx.json' END,
    blob.id, build.ref, build.ref IN ('refs/heads/main') OR build.ref LIKE 'refs/tags/%%',
    build.opened_at + file * interval '30 seconds'
FROM generate_series(1, %(builds)s) AS n
CROSS JOIN generate_series(1, 4) AS file
JOIN build ON build.id = md5('seed build ' || n)::uuid
JOIN {places} ON place.project = build.project_id
JOIN contribution ON contribution.build_id = build.id
JOIN blob ON blob.sha256 = encode(sha256(('seed '
    || CASE WHEN file = 4 THEN (n - 1) / 3 * 3 + 1 ELSE n END || ' ' || file)::bytea), 'hex');
ANALYZE artifact;
