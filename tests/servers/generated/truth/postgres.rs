//! PostgreSQL: one database, in which each part of a case is a transaction, and from which all is dropped afterwards.

use super::{Case, DOWN_FAILS, Fate, compare, one_by_one};
use crate::support::{self, Database};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use unmigrate::engine::Engine;

pub(in super::super) struct Server {
    database: Database,
    link: Box<PgConnection>,
    runtime: tokio::runtime::Runtime,
    /// Cases that this database has seen: what they leave in its system tables makes it slow.
    seen: usize,
}

/// Cases until another database is taken.
const WORN: usize = 150;

/// Everything that a user can see, a line each.
///
/// PostgreSQL counts in the option `pg_attver` how often a column was altered since 15.20; nobody sets that, and nothing depends on it.
///
/// `{rights ACL SORT OWNER}` stands for what others than the owner may do, said or not.
const STATE: &str = r#"
WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
 part AS (SELECT objid AS oid FROM pg_depend WHERE deptype = 'e')
SELECT 'schema ' || n.nspname || ' ' || nspowner::regrole || ' ' || {rights nspacl n nspowner} AS line FROM pg_namespace n JOIN ours USING (oid)
UNION ALL SELECT 'column ' || c.oid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
    || coalesce(pg_get_expr(d.adbin, d.adrelid), '-') || ' ' || coalesce(col_description(c.oid, a.attnum), '-') || ' ' || a.attidentity::text || a.attgenerated::text || a.attstorage::text
    || ' ' || coalesce(a.attstattarget, -1) || ' ' || coalesce((SELECT string_agg(o, ',') FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg\_attver=%'), '-') || ' ' || coalesce(a.attacl::text, '-') || ' ' || coalesce(o.collname, '-')
FROM pg_class c JOIN ours n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum LEFT JOIN pg_collation o ON o.oid = a.attcollation
WHERE c.relkind NOT IN ('i', 'I', 'S', 't')
UNION ALL SELECT 'relation ' || relkind::text || ' ' || c.oid::regclass || ' ' || coalesce(obj_description(c.oid, 'pg_class'), '-') || ' ' || relowner::regrole || ' '
    || coalesce(reloptions::text, '-') || ' ' || {rights relacl r relowner} || relrowsecurity || relforcerowsecurity || relreplident::text || relpersistence::text
    || ' ' || coalesce(pg_get_expr(relpartbound, c.oid), '-') || ' ' || coalesce(pg_get_partkeydef(c.oid), '-') || ' ' || coalesce((SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = c.oid), '-')
    FROM pg_class c JOIN ours n ON n.oid = c.relnamespace WHERE relkind NOT IN ('i', 'I', 't')
UNION ALL SELECT 'sequence ' || seqrelid::regclass || ' ' || seqtypid::regtype || ' ' || seqstart || ' ' || seqincrement || ' ' || seqmin || ' ' || seqmax || ' ' || seqcycle || ' ' || seqcache || ' '
    || coalesce((SELECT refobjid::regclass || '.' || refobjsubid || deptype::text FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = seqrelid AND deptype IN ('a', 'i') AND refobjsubid > 0 AND false), '-') FROM pg_sequence
UNION ALL SELECT 'owned ' || d.objid::regclass || ' by ' || d.refobjid::regclass || '.' || a.attname FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
UNION ALL SELECT 'position ' || format('%I.%I', schemaname, sequencename) || ' ' || coalesce(last_value, 0) FROM pg_sequences WHERE increment_by > 0 AND NOT cycle
UNION ALL SELECT 'constraint ' || CASE conrelid WHEN 0 THEN contypid::regtype::text ELSE conrelid::regclass::text END || ' ' || CASE WHEN conname ~ '^(uq|ck|fk|pk|ex)_' THEN conname ELSE '*' END || ' '
    || pg_get_constraintdef(t.oid) || coalesce(obj_description(t.oid, 'pg_constraint'), '') FROM pg_constraint t JOIN ours n ON n.oid = connamespace WHERE contype <> 'n'
UNION ALL SELECT 'index ' || CASE WHEN c.relname ~ '^(uq|ix|pk|ex)_' THEN pg_get_indexdef(c.oid) ELSE x.indrelid::regclass || regexp_replace(pg_get_indexdef(c.oid), '^.* USING', '') END
    || ' ' || coalesce(obj_description(c.oid, 'pg_class'), '-') || x.indisclustered || x.indisvalid FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN ours n ON n.oid = c.relnamespace
UNION ALL SELECT 'view ' || c.oid::regclass || ' ' || pg_get_viewdef(c.oid) FROM pg_class c JOIN ours n ON n.oid = c.relnamespace WHERE relkind IN ('v', 'm')
UNION ALL SELECT 'rule ' || pg_get_ruledef(r.oid) || ev_enabled::text FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class JOIN ours n ON n.oid = c.relnamespace WHERE rulename <> '_RETURN'
UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) || ' ' || tgenabled::text || coalesce(obj_description(oid, 'pg_trigger'), '-') FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'policy ' || polname || ' ' || polrelid::regclass || polcmd::text || polpermissive || (SELECT string_agg(r::text, ',' ORDER BY r::text) FROM unnest(polroles) r)
    || ' ' || coalesce(pg_get_expr(polqual, polrelid), '-') || ' ' || coalesce(pg_get_expr(polwithcheck, polrelid), '-') FROM pg_policy
UNION ALL SELECT 'routine ' || CASE WHEN prokind = 'a' THEN p.oid::regprocedure || ' aggregate' ELSE pg_get_functiondef(p.oid) END || coalesce(obj_description(p.oid, 'pg_proc'), '-') || proowner::regrole
    || {rights proacl f proowner}
    FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace WHERE p.oid NOT IN (SELECT oid FROM part)
UNION ALL SELECT 'type ' || t.oid::regtype || ' ' || typtype::text || typnotnull || ' ' || coalesce(typdefault, '-') || ' ' || CASE typbasetype WHEN 0 THEN '-' ELSE format_type(typbasetype, typtypmod) END
    || ' ' || typowner::regrole || ' ' || {rights typacl T typowner} || ' ' || coalesce((SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '-')
    || coalesce((SELECT rngsubtype::regtype::text FROM pg_range WHERE rngtypid = t.oid), '') || coalesce(obj_description(t.oid, 'pg_type'), '')
    FROM pg_type t JOIN ours n ON n.oid = t.typnamespace WHERE t.oid NOT IN (SELECT oid FROM part) AND typelem = 0
UNION ALL SELECT 'extension ' || extname || ' ' || extversion || ' ' || extnamespace::regnamespace FROM pg_extension
UNION ALL SELECT 'publication ' || pubname || ' ' || puballtables || pubinsert || pubupdate || pubdelete || pubtruncate || coalesce((SELECT string_agg(prrelid::regclass::text, ',' ORDER BY 1) FROM pg_publication_rel WHERE prpubid = p.oid), '') FROM pg_publication p
UNION ALL SELECT 'subscription ' || subname || subconninfo || subenabled || subpublications::text FROM pg_subscription
UNION ALL SELECT 'statistics ' || pg_get_statisticsobjdef(x.oid) || ' ' || coalesce(stxstattarget, -1) || stxowner::regrole FROM pg_statistic_ext x
UNION ALL SELECT 'collation ' || collname || ' ' || collowner::regrole || collnamespace::regnamespace FROM pg_collation WHERE oid > 16383
UNION ALL SELECT 'search ' || cfgname || ' ' || cfgowner::regrole FROM pg_ts_config WHERE oid > 16383
UNION ALL SELECT 'wrapper ' || fdwname || ' ' || fdwowner::regrole FROM pg_foreign_data_wrapper UNION ALL SELECT 'server ' || srvname FROM pg_foreign_server
UNION ALL SELECT 'rights ' || defaclrole::regrole || ' ' || defaclnamespace::regnamespace || defaclobjtype::text || defaclacl::text FROM pg_default_acl
UNION ALL SELECT 'role ' || rolname || ' ' || rolcreatedb || rolcanlogin || rolinherit FROM pg_roles WHERE rolname LIKE 'migrate\_case%'
UNION ALL SELECT 'member ' || roleid::regrole || ' ' || member::regrole FROM pg_auth_members WHERE member::regrole::text LIKE 'migrate\_case%'
UNION ALL SELECT 'role setting ' || setrole::regrole || ' ' || setconfig::text FROM pg_db_role_setting WHERE setdatabase = 0
UNION ALL SELECT 'database ' || datname FROM pg_database WHERE datname LIKE 'migrate\_case%'
UNION ALL SELECT 'server setting ' || name || ' ' || setting FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'
UNION ALL SELECT 'rows ' || c.oid::regclass || ' ' || query_to_xml(format('SELECT to_jsonb(t)::text AS r FROM ONLY %s t ORDER BY 1', c.oid::regclass), true, false, '')::text
    FROM pg_class c JOIN ours n ON n.oid = c.relnamespace WHERE relkind = 'r'
ORDER BY 1"#;

/// Takes away all that a case can leave behind.
const CLEAN: &str = r"
DO $$ DECLARE one text; BEGIN
  FOR one IN SELECT format('ALTER SUBSCRIPTION %I DISABLE; DROP SUBSCRIPTION %I', subname, subname) FROM pg_subscription
    UNION ALL SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication
    UNION ALL SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  LOOP EXECUTE one; END LOOP;
  FOR one IN SELECT format('DROP EXTENSION %I CASCADE', extname) FROM pg_extension WHERE extname <> 'plpgsql'
    UNION ALL SELECT format('DROP FOREIGN DATA WRAPPER %I CASCADE', fdwname) FROM pg_foreign_data_wrapper
    UNION ALL SELECT format('DROP OWNED BY %I; DROP ROLE %I', rolname, rolname) FROM pg_roles WHERE rolname LIKE 'migrate\_case%'
  LOOP EXECUTE one; END LOOP;
  CREATE SCHEMA public;
  -- As in a new database.
  GRANT USAGE ON SCHEMA public TO PUBLIC;
END $$";

impl Server {
    pub(super) fn open() -> Option<Server> {
        let database = support::database(Engine::Postgres)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let link = runtime.block_on(PgConnection::connect(&database.url)).expect("a connection");
        Some(Server { link: Box::new(link), database, runtime, seen: 0 })
    }

    pub(super) fn fate(&mut self, case: &Case) -> Fate {
        self.seen += 1;
        if self.seen > WORN {
            let worn = std::mem::replace(self, Server::open().expect("it answered before")).database;
            if let Some(root) = worn.root() {
                root.execute(&format!("DROP DATABASE {} WITH (FORCE)", worn.name()));
            }
        }
        let link = &mut self.link;
        self.runtime.block_on(async {
            let fate = try_case(link, case).await.unwrap_or_else(|error| Fate::Refused(error.to_string()));
            clean(link, case).await.expect("a case leaves nothing behind");
            fate
        })
    }
}

async fn try_case(link: &mut PgConnection, case: &Case) -> sqlx::Result<Fate> {
    run(link, &case.start, false).await?;
    let before = state(link).await?;
    run(link, &case.up, case.alone).await?;
    if let Err(error) = run(link, case.down.as_deref().unwrap_or_default(), case.alone).await {
        return Ok(Fate::Bad(format!("{DOWN_FAILS}{error}")));
    }
    Ok(compare(&before, &state(link).await?))
}

/// In one transaction where that can be, as the runner does it, and in a session that has set nothing yet.
async fn run(link: &mut PgConnection, statements: &[String], alone: bool) -> sqlx::Result<()> {
    let sql = Case::script(statements);
    if alone {
        for sql in one_by_one(&sql, Engine::Postgres) {
            execute(link, &sql).await?;
        }
    } else {
        // What is sent as one text is one transaction.
        execute(link, &format!("BEGIN;\n{sql}COMMIT;")).await?;
    }
    execute(link, "DISCARD ALL").await
}

async fn execute(link: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(link).await.map(drop)
}

async fn clean(link: &mut PgConnection, case: &Case) -> sqlx::Result<()> {
    execute(link, "ROLLBACK").await?;
    execute(link, "DISCARD ALL").await?;
    execute(link, CLEAN).await?;
    if case.alone {
        execute(link, "ALTER SYSTEM RESET ALL").await?;
        let left = sqlx::raw_sql("SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_case%'").fetch_all(&mut *link).await?;
        for row in left {
            execute(link, &format!("DROP DATABASE {}", row.try_get::<String, _>(0)?)).await?;
        }
    }
    Ok(())
}

/// [`STATE`] as PostgreSQL reads it.
fn question() -> String {
    let mut pieces = STATE.split("{rights ");
    let mut sql = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (words, rest) = piece.split_once('}').expect("a closing brace");
        let [acl, sort, owner] = words.split(' ').collect::<Vec<_>>()[..] else { panic!("three words: {words}") };
        sql += &format!(
            "coalesce((SELECT string_agg(grantee::regrole || privilege_type || is_grantable, ',' ORDER BY grantee, privilege_type) \
             FROM aclexplode(coalesce({acl}, acldefault('{sort}', {owner}))) WHERE grantee <> {owner}), '-'){rest}"
        );
    }
    sql
}

async fn state(link: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    let rows = sqlx::raw_sql(AssertSqlSafe(question())).fetch_all(link).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
