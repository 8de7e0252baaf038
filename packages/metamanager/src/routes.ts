import { route, type Route } from '@edge/core';
import * as kinds from './kinds.js';
import { objectLane, requestLane, singleLane, upwardLane } from './lanes.js';
import type { MetaManager } from './metamanager.js';

/** What metamanager handles. The first row that fits counts. */
export const routes: readonly Route<MetaManager>[] = [
  // From the cloud.
  route(kinds.connectionNotice, 'notice', () => undefined),
  route(kinds.volumeOperation, singleLane, (module: MetaManager, _body, message) => module.volumes.handle(message)),
  route(kinds.lateAnswer, objectLane, (module: MetaManager, _body, message) => module.lateAnswers.handle(message)),
  route(kinds.objectPushed, objectLane, (module: MetaManager, _body, message) => module.pushes.handle(message)),
  route(kinds.otherPush, objectLane, (module: MetaManager, _body, message) => module.pushes.handleUnknown(message)),
  // From the node.
  route(kinds.reportEvent, upwardLane, (module: MetaManager, _body, message) => module.upward.handle(message)),
  route(kinds.deletePod, upwardLane, (module: MetaManager, _body, message) => module.upward.handle(message)),
  route(kinds.patchStatus, upwardLane, (module: MetaManager, _body, message) => module.patches.handle(message)),
  route(kinds.queryToken, singleLane, (module: MetaManager, _body, message) => module.tokens.handle(message)),
  route(kinds.queryKnownToken, singleLane, (module: MetaManager, _body, message) => module.tokens.isKnown(message)),
  route(kinds.queryStored, requestLane, (module: MetaManager, _body, message) => module.deviceStore.list(message)),
  route(kinds.recordMapper, requestLane, (module: MetaManager, _body, message) => module.deviceStore.record(message)),
  route(kinds.editDevice, requestLane, (module: MetaManager, _body, message) => module.deviceEdits.handle(message)),
  route(kinds.followObjects, 'feed', (module: MetaManager, _body, message) => module.localApi.follow(message)),
  route(kinds.recordObjects, singleLane, (module: MetaManager, _body, message) => module.localApi.record(message)),
  route(kinds.queryDocuments, 'documents', (module: MetaManager, _body, message) => module.localApi.documents(message)),
  route(kinds.recordDocument, 'documents', (module: MetaManager, _body, message) => module.localApi.recordDocument(message)),
  route(kinds.upgradeRecord, requestLane, (module: MetaManager, _body, message) => module.jobRecords.handle(message)),
  route(kinds.queryObjects, requestLane, (module: MetaManager, _body, message) => module.queries.handle(message)),
  route(kinds.writeObject, requestLane, (module: MetaManager, _body, message) => module.writes.handle(message)),
];
