export { bindProfile, protectProfile, secureChannelToBeSigned, type Binding, type ProtectedProfile, type SecureChannel } from './build.ts';
export { beginOpening, enterSection, isOpened, openSegment, type OpenedSection, type Opening, type Section } from './open.ts';
