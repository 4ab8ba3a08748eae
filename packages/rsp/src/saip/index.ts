export { profileElements, type ProfileElementName } from './elements.ts';
export { MAX_PROFILE_BYTES, readProfilePackage, type ProfileElement, type ProfilePackage } from './read.ts';
export { buildProfilePackage, type Personalisation } from './template.ts';
