PRAGMA application_id=1398230321;
PRAGMA user_version=1;
BEGIN TRANSACTION;
CREATE TABLE blobs (
	hash VARCHAR NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (hash)
);
INSERT INTO "blobs" VALUES('6c72089e206dc09c251d41373c41b670bf36c6354920b6dc87aed4235be39084',X'789CEDD8A10D80301805E155C8D34D07600C2C4134F47794266D11847477502468EC994FDC08375F2A79338DAA676D96E4B4E6BDD9DE9E3459887E4044444444444444444444C43FAABB77C71FD5CA67C6079FA2FA720330CF12CC');
INSERT INTO "blobs" VALUES('734194ede5b063e654d63cb95a682ca1551b45e3cc86e88f1a85c1286eedd4ac',X'789C4B542849AD280100074F0247');
CREATE TABLE calls (
	thread VARCHAR NOT NULL,
	turn INTEGER NOT NULL,
	position INTEGER NOT NULL,
	call VARCHAR NOT NULL,
	effect VARCHAR NOT NULL,
	intended_at FLOAT,
	result VARCHAR NOT NULL,
	ended_at FLOAT,
	PRIMARY KEY (thread, turn, position)
);
INSERT INTO "calls" VALUES('r/notes/0/1',1,0,'{"tool":"files.read","args":{"path":"a.md"}}','irreversible',5.0,'{"text":"y","data":null,"is_error":false,"files":[],"handle":null}',5.0);
CREATE TABLE channels (
	thread VARCHAR NOT NULL,
	ns VARCHAR NOT NULL,
	channel VARCHAR NOT NULL,
	version VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	value BLOB NOT NULL,
	PRIMARY KEY (thread, ns, channel, version)
);
INSERT INTO "channels" VALUES('r/notes/0/1','','value','1','msgpack',X'91A178');
CREATE TABLE checkpoints (
	seq INTEGER NOT NULL,
	thread VARCHAR NOT NULL,
	ns VARCHAR NOT NULL,
	id VARCHAR NOT NULL,
	parent VARCHAR,
	graph_run VARCHAR,
	kind VARCHAR NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (seq),
	UNIQUE (thread, ns, id)
);
INSERT INTO "checkpoints" VALUES(1,'r/notes/0/1','','1',NULL,NULL,'msgpack',X'9288A17602A26964A131A27473B9323032362D30312D30315430303A30303A30302B30303A3030AE6368616E6E656C5F76616C75657381A47475726E01B06368616E6E656C5F76657273696F6E7382A47475726E01A576616C756501AD76657273696F6E735F7365656E80AD70656E64696E675F73656E647390B0757064617465645F6368616E6E656C73C083A6736F75726365A46C6F6F70A47374657001A7706172656E747380');
CREATE TABLE events (
	seq INTEGER NOT NULL,
	body VARCHAR NOT NULL,
	PRIMARY KEY (seq)
);
INSERT INTO "events" VALUES(1,'{"seq":1,"at":5.0,"kind":"notice","text":"n1","step":null}');
CREATE TABLE replies (
	thread VARCHAR NOT NULL,
	turn INTEGER NOT NULL,
	digest VARCHAR NOT NULL,
	body VARCHAR NOT NULL,
	kept INTEGER NOT NULL,
	asked VARCHAR NOT NULL,
	at FLOAT NOT NULL,
	prefilled_tokens INTEGER NOT NULL,
	cached_tokens INTEGER NOT NULL,
	written_tokens INTEGER NOT NULL,
	model_calls INTEGER NOT NULL,
	model_seconds FLOAT NOT NULL,
	PRIMARY KEY (thread, turn)
);
INSERT INTO "replies" VALUES('r/notes/0/1',1,'a','{"text":"x","finish":"stop","model":"","usage":{"prefilled_tokens":0,"cached_tokens":0,"written_tokens":0,"thought_tokens":0,"model_calls":0,"tool_calls":0,"model_seconds":0.0,"prefill_seconds":0.0,"load_seconds":0.0,"queued_seconds":0.0,"retry_seconds":0.0}}',0,'sha256:6c72089e206dc09c251d41373c41b670bf36c6354920b6dc87aed4235be39084',5.0,0,0,0,1,0.0);
CREATE TABLE results (
	thread VARCHAR NOT NULL,
	body VARCHAR NOT NULL,
	PRIMARY KEY (thread)
);
INSERT INTO "results" VALUES('r/notes/0/1','{"status":"done","text":"z","data":null,"files":[],"evidence":[],"reason":"","refused_by":""}');
CREATE TABLE runs (
	id VARCHAR NOT NULL,
	record VARCHAR NOT NULL,
	epoch INTEGER NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('r','{"id":"r","task":"t","project":"/p","workspace":"/w","model":"m","created_at":1.0,"status":"running","plan":null,"limits":{"tokens":20000000,"model_calls":20000,"tool_calls":50000,"model_seconds":864000.0,"seconds":86400.0,"steps":4000,"items":1000,"turns":24,"attempts":2,"replans":1,"reply_tokens":1024,"reply_seconds":900.0,"first_token_seconds":600.0,"between_tokens_seconds":120.0,"requests":5,"tool_seconds":120.0},"settings":{}}',1);
CREATE TABLE steps (
	step VARCHAR NOT NULL,
	body VARCHAR NOT NULL,
	PRIMARY KEY (step)
);
INSERT INTO "steps" VALUES('notes','{"status":"done","text":"z","data":null,"files":[],"evidence":[],"reason":"","refused_by":""}');
CREATE TABLE texts (
	handle VARCHAR NOT NULL,
	hash VARCHAR NOT NULL,
	PRIMARY KEY (handle)
);
INSERT INTO "texts" VALUES('t-734194ed','734194ede5b063e654d63cb95a682ca1551b45e3cc86e88f1a85c1286eedd4ac');
CREATE TABLE writes (
	thread VARCHAR NOT NULL,
	ns VARCHAR NOT NULL,
	checkpoint VARCHAR NOT NULL,
	task VARCHAR NOT NULL,
	position INTEGER NOT NULL,
	path VARCHAR NOT NULL,
	channel VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	value BLOB NOT NULL,
	PRIMARY KEY (thread, ns, checkpoint, task, position)
)
 WITHOUT ROWID
;
INSERT INTO "writes" VALUES('r/notes/0/1','','1','task',0,'','value','msgpack',X'03');
CREATE INDEX checkpoints_of_graph_run ON checkpoints (graph_run);
COMMIT;
