// What is loaded with the first call.

export { call } from './call.svelte';
export { default as CallBar } from './CallBar.svelte';
export { default as CallStrip } from './CallStrip.svelte';
export { default as CallView } from './CallView.svelte';
