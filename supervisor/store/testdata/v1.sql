-- Rows as schema version 1 stored them.
INSERT INTO device (row, id, name, class, profile, removed_at) VALUES
  (1, 'rt-city-core', '市局核心路由器', 'router', 'huawei-vrp', NULL),
  (4, 'rt-old', '旧路由器', 'router', 'snmp-generic', 1795000000000);
INSERT INTO fault VALUES
  (1, 2026, 1, 1, 'board-hot', 'MPU Board 0', 'major', 'active', '王工', 1795000060000, 0, 1795000000000,
   1795000030000, NULL, NULL, NULL, 'number', 68.5, 'temperatureUnacceptable', '板卡温度 68.5 ℃', 'Board at 68.5 °C',
   '检查风扇与滤网', 'Check fans and filter', NULL, 1795000060000),
  (2, 2026, 2, 4, 'unreachable', '', 'critical', 'cleared', NULL, NULL, 0, 1795000010000, 1795000020000,
   1795000040000, 'withdrawn', NULL, NULL, NULL, 'communicationsSubsystemFailure', '无响应', 'No answer', '检查供电',
   'Check power', NULL, 1795000040000);
INSERT INTO transition VALUES
  (1, 1, 1795000030000, 'raised', NULL, 'minor', 'active', NULL, NULL, 0, 1795000000000, 1795000030000, NULL, NULL, NULL,
   'number', 61.0, '板卡温度 61 ℃', 'Board at 61 °C'),
  (2, 2, 1795000020000, 'raised', NULL, 'critical', 'active', NULL, NULL, 0, 1795000010000, 1795000020000, NULL,
   NULL, NULL, NULL, NULL, '无响应', 'No answer'),
  (3, 2, 1795000040000, 'ended', NULL, 'critical', 'cleared', NULL, NULL, 0, 1795000010000, 1795000020000,
   1795000040000, 'withdrawn', NULL, NULL, NULL, '无响应', 'No answer'),
  (4, 1, 1795000050000, 'severity', 'minor', 'major', 'active', NULL, NULL, 0, 1795000000000, 1795000030000, NULL,
   NULL, NULL, 'number', 68.5, '板卡温度 68.5 ℃', 'Board at 68.5 °C'),
  (5, 1, 1795000060000, 'acknowledged', NULL, 'major', 'active', '王工', 1795000060000, 0, 1795000000000,
   1795000030000, NULL, NULL, NULL, 'number', 68.5, '板卡温度 68.5 ℃', 'Board at 68.5 °C');
INSERT INTO clock (boot, boottime_ms, wall, synchronised) VALUES ('b0', 5000, 1795000060000, 1);
