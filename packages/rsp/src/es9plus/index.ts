export {
  es9plusFunctions, MAX_ES9PLUS_REQUEST_BYTES, type Es9plusFunction, type Es9plusRequest, type Es9plusResponse, type FieldKind,
} from './functions.ts';
export {
  readEs9plusAnswer, readEs9plusRequest, writeEs9plusFailure, writeEs9plusRequest, writeEs9plusSuccess, type Es9plusAnswer, type StatusCode,
} from './json.ts';
