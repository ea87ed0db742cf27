// Friends, requests, and whom one blocks.

import { SvelteMap } from 'svelte/reactivity';
import { type Id, type Ready, RelationType, type Relationship } from '../api/types';

class Relations {
  readonly all = new SvelteMap<Id, Relationship>();

  of(user: Id): number {
    return this.all.get(user)?.type ?? 0;
  }

  isBlocked(user: Id): boolean {
    return this.of(user) === RelationType.Blocked;
  }

  list(type: number): Relationship[] {
    const of = [...this.all.values()].filter((relation) => relation.type === type);
    return of.sort((a, b) => (a.user.global_name ?? a.user.username).localeCompare(b.user.global_name ?? b.user.username));
  }

  get requests(): number {
    return this.list(RelationType.Incoming).length;
  }

  fold(event: string, data: any): void {
    switch (event) {
      case 'READY':
        this.all.clear();
        for (const relation of (data as Ready).relationships) this.all.set(relation.id, relation);
        break;
      case 'RELATIONSHIP_ADD':
      case 'RELATIONSHIP_UPDATE':
        this.all.set(data.id, { ...this.all.get(data.id), ...data });
        break;
      case 'RELATIONSHIP_REMOVE':
        this.all.delete(data.id);
        break;
    }
  }
}

export const relations = new Relations();
