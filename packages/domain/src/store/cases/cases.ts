import type { Verb } from '../../core/cases/case-verbs.js';
import type { Store } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import type { RechargeReport, ReportResult } from '../recharges/report.js';
import { type CaseFilter, type CasePage, type CaseReader, caseById, listCases } from './list.js';
import { type CasePreview, previewCase } from './preview.js';
import { type ResolutionAsk, type ResolvedCase, type Resolving, resolveCase } from './resolve.js';
import type { CaseView, IsRefunding } from './view.js';

/** The questions that people have to answer. `isRefunding` decides whether the money of a case can be returned. */
export interface Cases {
  list(filter: CaseFilter, isRefunding: IsRefunding): Promise<CasePage>;
  /** One case. Null if there is no such case that the viewer may see. */
  one(id: string, viewer: CaseReader, isRefunding: IsRefunding): Promise<CaseView | null>;
  /** What a verb would do now. It changes nothing. Null if the case does not offer the verb. */
  preview(
    ask: Readonly<{ caseId: string; verb: Verb; reason: string }>,
    isRefunding: IsRefunding,
  ): Promise<CasePreview | null>;
  /** Carries out a person's decision, once. */
  resolve(ask: ResolutionAsk, isRefunding: IsRefunding): Promise<ResolvedCase>;
}

export const openCases = (
  { run, read }: Pick<Store, 'run' | 'read'>,
  applyNews: (report: RechargeReport) => Promise<ReportResult>,
  adoptLine: Resolving['adoptLine'],
  { newId, approving }: Pick<Resolving, 'newId' | 'approving'>,
): Cases => ({
  list: (filter, isRefunding) => listCases(read, filter, isRefunding),
  one: async (id, viewer, isRefunding) => (isUuid(id) ? caseById(read, id, viewer, isRefunding) : null),
  preview: async (ask, isRefunding) => (isUuid(ask.caseId) ? previewCase(read, ask, isRefunding) : null),
  resolve: (ask, isRefunding) =>
    resolveCase({ run, applyNews, newId, adoptLine, isRefunding, approving }, ask),
});
