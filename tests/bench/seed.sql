-- What tests.bench.seed tells of the builds and files of seed_files.sql: evidence, decisions,
-- downloads, audit, tokens and people.

INSERT INTO attestation_request (id, organization_id, project_id, build_id, subjects, facts,
    issuer_name, opened_at, sealed_at, requested_at, state, attempts, next_attempt_at, last_error,
    confirmation, request_id, ended_at, transparency)
SELECT md5('seed request ' || build.id)::uuid, place.organization, build.project_id, build.id,
    files.subjects, contribution.witnessed, CASE WHEN key IS NULL THEN '' ELSE 'github' END,
    opened_at, sealed_at, sealed_at,
    CASE build.state WHEN 'published' THEN 'attested' WHEN 'refused' THEN 'refused' ELSE 'pending' END,
    CASE build.state WHEN 'sealed' THEN 6 ELSE 1 END,
    CASE build.state WHEN 'sealed' THEN %(now)s + random() * interval '50 minutes' ELSE sealed_at END,
    CASE build.state
        WHEN 'sealed' THEN '{"code": "signer-unavailable", "reason": "timed-out",
            "found": "no answer within 10 s"}'::jsonb
        WHEN 'refused' THEN build.refused END,
    CASE WHEN key IS NULL THEN 'not-asked' WHEN build.state = 'published' THEN 'confirmed'
        ELSE 'unreachable' END,
    left(md5('request ' || build.id), 16),
    CASE WHEN build.state = 'sealed' THEN NULL ELSE sealed_at + interval '3 seconds' END,
    CASE build.state WHEN 'published' THEN 'private-log' ELSE '' END
FROM build
JOIN {places} ON place.project = build.project_id
JOIN contribution ON contribution.build_id = build.id
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(path, sha256) ORDER BY path) AS subjects
    FROM artifact JOIN blob ON blob.id = blob_id WHERE artifact.build_id = build.id
) AS files
WHERE build.state <> 'open';
ANALYZE attestation_request;

INSERT INTO attestation (id, request_id, organization_id, project_id, build_id, predicate_type,
    bundle, bundle_sha256, recorded_at)
SELECT md5('seed attestation ' || build.id)::uuid, asked.id, asked.organization_id,
    asked.project_id, build.id,
    CASE WHEN key IS NULL THEN %(release_type)s ELSE %(provenance_type)s END,
    bundle, encode(sha256(bundle), 'hex'), asked.ended_at
FROM attestation_request AS asked
JOIN build ON build.id = asked.build_id
JOIN {places} ON place.project = build.project_id
JOIN contribution ON contribution.build_id = build.id
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('digest', jsonb_build_object('sha256', entry ->> 1),
        'name', entry ->> 0)) AS subjects
    FROM jsonb_array_elements(asked.subjects) AS entry
) AS named
CROSS JOIN LATERAL (
    SELECT CASE WHEN key IS NULL THEN {release} ELSE {provenance} END AS written
) AS made
CROSS JOIN LATERAL (
    SELECT replace(%(bundle)s, '@payload@',
        replace(encode(convert_to(written, 'UTF8'), 'base64'), E'\n', '')) AS json
) AS packed
CROSS JOIN LATERAL (SELECT convert_to(json, 'UTF8') AS bundle) AS stored
WHERE asked.state = 'attested';
ANALYZE attestation;

INSERT INTO attestation_subject (attestation_id, project_id, build_id, sha256, name)
SELECT attestation.id, attestation.project_id, attestation.build_id, sha256, path
FROM attestation JOIN artifact ON artifact.build_id = attestation.build_id
JOIN blob ON blob.id = blob_id;
ANALYZE attestation_subject;

INSERT INTO decision (key, project_id, build_id, sha256, allowed, reason, report, decided_at,
    holds_until)
SELECT encode(sha256(artifact.id::text::bytea), 'hex'), artifact.project_id, artifact.build_id,
    sha256, allowed, CASE WHEN allowed THEN '' ELSE 'source-not-accepted' END,
    jsonb_build_object('verdict', CASE WHEN allowed THEN 'passed' ELSE 'failed' END,
        'level', 'SLSA_BUILD_LEVEL_2', 'enforcement', 'enforce', 'attestations', '[]'::jsonb),
    artifact.stored_at + interval '1 hour', artifact.stored_at + interval '25 hours'
FROM artifact JOIN blob ON blob.id = blob_id
JOIN build ON build.id = artifact.build_id AND build.state = 'published'
CROSS JOIN LATERAL (SELECT hashtext(artifact.id::text) %% 40 <> 0 AS allowed) AS judged;
ANALYZE decision;

INSERT INTO download (id, at, project_id, build_id, artifact_id, path, member, sha256, actor,
    address, way, byte_range, verdict, reason, decision, request_id)
SELECT gen_random_uuid(), artifact.stored_at + interval '1 hour', artifact.project_id,
    artifact.build_id, artifact.id, path, '', blob.sha256,
    (ARRAY['api:deploy', 'anonymous', 'user:person7', 'user:person21', 'api:mirror'])[1 + n %% 5],
    ('10.1.' || n %% 200 || '.' || n %% 250)::inet,
    CASE WHEN decision.allowed THEN 'streamed' ELSE 'refused' END, '',
    CASE WHEN decision.allowed THEN 'allowed' ELSE 'refused' END, decision.reason, decision.key,
    left(md5('download ' || n), 16)
FROM (SELECT *, row_number() OVER () AS n FROM artifact) AS artifact
JOIN blob ON blob.id = blob_id
JOIN decision ON decision.key = encode(sha256(artifact.id::text::bytea), 'hex');

INSERT INTO audit_record (at, actor, action, target, organization_id, facts, request_id)
SELECT told.at, opened_by, action, place.repository, place.organization,
    jsonb_build_object('build', build.id, 'name', name), left(md5(build.id || action), 16)
FROM build JOIN {places} ON place.project = build.project_id
CROSS JOIN LATERAL (VALUES ('token.create', opened_at), ('build.open', opened_at),
    ('artifact.upload', opened_at + interval '1 minute'), ('build.seal', sealed_at))
    AS told (action, at)
WHERE told.at IS NOT NULL
ORDER BY told.at;

INSERT INTO token (id, kind, name, secret_sha256, project_id, permissions, facts, job_key,
    created_at, created_by, expires_at, last_used_at)
SELECT md5('seed token ' || build.id)::uuid, 'upload', place.repository || ' run ' || opened_by,
    encode(sha256(('seed token ' || build.id)::bytea), 'hex'), build.project_id,
    '["upload", "read"]', witnessed, build.key, opened_at, opened_by,
    opened_at + interval '15 minutes', opened_at + interval '3 minutes'
FROM build JOIN {places} ON place.project = build.project_id
JOIN contribution ON contribution.build_id = build.id
WHERE build.key IS NOT NULL;

INSERT INTO upload (id, build_id, contribution_id, path, declared_sha256, size_bytes, part_bytes,
    key, upload_id, started_by, state, started_at, touched_at, completed_at, etag, version_id,
    measured_bytes, attempts, next_attempt_at)
SELECT md5('seed upload ' || build.id || file)::uuid, build.id, contribution.id,
    'images/disk-' || file || '.qcow2', encode(sha256((build.id || ' disk ' || file)::bytea), 'hex'),
    3221225472, 67108864, 'blobs/seed/' || build.id || '/' || file, 'seed', opened_by,
    CASE file WHEN 1 THEN 'open' WHEN 2 THEN 'measuring' ELSE 'aborted' END, opened_at,
    opened_at + interval '2 minutes', CASE WHEN file = 2 THEN opened_at END, '', '',
    CASE WHEN file = 2 THEN 1610612736 ELSE 0 END, file - 1,
    CASE WHEN file = 2 THEN %(now)s + interval '10 minutes' END
FROM build JOIN contribution ON contribution.build_id = build.id
CROSS JOIN generate_series(1, 3) AS file
WHERE build.state = 'open';

INSERT INTO "user" (username, password, first_name, last_name, email, is_staff, is_superuser,
    is_active, date_joined, must_change_password)
SELECT 'person' || n, '!', '', '', 'person' || n || '@acme.test', false, false, true, %(now)s, false
FROM generate_series(1, 60) AS n;

INSERT INTO membership (id, person_id, organization_id, role, since, given_by)
SELECT md5('seed membership ' || username)::uuid, "user".id, place.organization,
    (ARRAY['reader', 'uploader', 'maintainer', 'owner'])[1 + "user".id %% 4], %(now)s, 'user:admin'
FROM "user" JOIN {places} ON place.ordinality = 1 + "user".id %% cardinality(%(projects)s::uuid[])
WHERE username LIKE 'person%%';
