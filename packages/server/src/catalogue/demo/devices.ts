import type { CatalogueRow, LocalText } from '@yuanyou/contract';

type DeviceRow = CatalogueRow<'devices'>;

const notes: Readonly<Record<string, LocalText>> = {
  mainland: {
    en: 'Models made for mainland China take no profiles, nor do some made for Hong Kong and Macao. Dial *#06#: when an EID is shown, yours does.',
    'zh-Hans': '中国大陆版不支持 eSIM，部分港澳版也不支持。请拨 *#06#：如显示 EID，即表示支持。',
    'zh-Hant': '中國大陸版不支援 eSIM，部分港澳版亦不支援。請撥 *#06#：若顯示 EID，即表示支援。',
  },
  market: {
    en: 'It depends on the market the model was made for; those for mainland China take no profiles. Dial *#06#: when an EID is shown, yours does.',
    'zh-Hans': '视销售地区版本而定，中国大陆版不支持 eSIM。请拨 *#06#：如显示 EID，即表示支持。',
    'zh-Hant': '視銷售地區版本而定，中國大陸版不支援 eSIM。請撥 *#06#：若顯示 EID，即表示支援。',
  },
  cellular: {
    en: 'Only the models with cellular data, and not those made for mainland China.',
    'zh-Hans': '仅限蜂窝网络版，且不含中国大陆版。', 'zh-Hant': '僅限行動網路版，且不含中國大陸版。',
  },
};

/** Brand; models, commas between; whether they take profiles; newest radio access; note; other names of the brand in front of the model. */
const deviceLines: readonly (readonly [string, string, DeviceRow['esim'], '4G' | '5G', (string | undefined)?, string?])[] = [
  ['Apple', 'iPhone XR,iPhone XS,iPhone XS Max,iPhone 11,iPhone 11 Pro,iPhone 11 Pro Max,iPhone SE (2nd generation)', 'depends', '4G', 'mainland', '苹果,蘋果'],
  ['Apple', 'iPhone 12 mini,iPhone 12,iPhone 12 Pro,iPhone 12 Pro Max,iPhone 13 mini,iPhone 13,iPhone 13 Pro,iPhone 13 Pro Max,iPhone SE (3rd generation)',
    'depends', '5G', 'mainland', '苹果,蘋果'],
  ['Apple', 'iPhone 14,iPhone 14 Plus,iPhone 14 Pro,iPhone 14 Pro Max,iPhone 15,iPhone 15 Plus,iPhone 15 Pro,iPhone 15 Pro Max', 'depends', '5G', 'mainland', '苹果,蘋果'],
  ['Apple', 'iPhone 16,iPhone 16 Plus,iPhone 16 Pro,iPhone 16 Pro Max,iPhone 16e,iPhone 17,iPhone 17 Pro,iPhone 17 Pro Max', 'depends', '5G', 'mainland', '苹果,蘋果'],
  ['Apple', 'iPhone 6s,iPhone 7,iPhone 7 Plus,iPhone 8,iPhone 8 Plus,iPhone X', 'no', '4G', undefined, '苹果,蘋果'],
  ['Apple', 'iPad Pro 11-inch (M1),iPad Pro 12.9-inch (M1),iPad Air (5th generation),iPad mini (6th generation),iPad (10th generation)', 'depends', '5G', 'cellular', '苹果,蘋果'],
  ['Samsung', 'Galaxy S20,Galaxy S20+,Galaxy S20 Ultra,Galaxy Note20,Galaxy Note20 Ultra,Galaxy S21,Galaxy S21+,Galaxy S21 Ultra', 'depends', '5G', 'market', '三星'],
  ['Samsung', 'Galaxy S22,Galaxy S22+,Galaxy S22 Ultra,Galaxy S23,Galaxy S23+,Galaxy S23 Ultra,Galaxy S24,Galaxy S24+,Galaxy S24 Ultra,Galaxy S25,Galaxy S25 Ultra',
    'depends', '5G', 'market', '三星'],
  ['Samsung', 'Galaxy Z Flip3,Galaxy Z Flip4,Galaxy Z Flip5,Galaxy Z Flip6,Galaxy Z Fold3,Galaxy Z Fold4,Galaxy Z Fold5,Galaxy Z Fold6,Galaxy A54,Galaxy A55',
    'depends', '5G', 'market', '三星'],
  ['Samsung', 'Galaxy S8,Galaxy S9,Galaxy S10', 'no', '4G', undefined, '三星'],
  ['Google', 'Pixel 3,Pixel 3a', 'depends', '4G', 'market', '谷歌'],
  ['Google', 'Pixel 4,Pixel 4a', 'yes', '4G', undefined, '谷歌'],
  ['Google', 'Pixel 5,Pixel 6,Pixel 6a,Pixel 6 Pro,Pixel 7,Pixel 7a,Pixel 7 Pro,Pixel 8,Pixel 8a,Pixel 8 Pro,Pixel Fold,Pixel 9,Pixel 9 Pro,Pixel 9 Pro XL,Pixel 9a',
    'yes', '5G', undefined, '谷歌'],
  ['Motorola', 'razr 5G,razr 40 ultra,edge 40,edge 40 pro,edge 50 pro', 'depends', '5G', 'market', '摩托罗拉,摩托羅拉'],
  ['Xiaomi', '12T Pro,13,13 Pro,13T,13T Pro,14,14T,14T Pro,15', 'depends', '5G', 'market', '小米'],
  ['Xiaomi', 'Redmi Note 10,Redmi Note 11', 'no', '4G', undefined, '小米,红米,紅米'],
  ['Huawei', 'P40,P40 Pro,Mate 40 Pro', 'depends', '5G', 'market', '华为,華為'],
  ['OPPO', 'Find X3 Pro,Find X5,Find X5 Pro,Find N2 Flip', 'depends', '5G', 'market'],
  ['OnePlus', '11,12,13,Open', 'depends', '5G', 'market', '一加'],
  ['HONOR', 'Magic4 Pro,Magic5 Pro,Magic6 Pro', 'depends', '5G', 'market', '荣耀,榮耀'],
  ['Sony', 'Xperia 1 IV,Xperia 5 IV,Xperia 10 IV,Xperia 1 V,Xperia 5 V,Xperia 10 V', 'depends', '5G', 'market', '索尼'],
  ['Nothing', 'Phone (1),Phone (2)', 'no', '5G'],
  ['Fairphone', '4,5', 'yes', '5G'],
];

const slugOf = (name: string): string => name.toLowerCase().replaceAll('+', ' plus').replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '');

/** Devices that travellers ask about most; facts of the makers, to be checked against their lists before a real shop relies on them. */
export function demoDevices(): DeviceRow[] {
  return deviceLines.flatMap(([brand, models, esim, newest, note, other]) => models.split(',').map((name): DeviceRow => ({
    model: slugOf(`${brand} ${name}`), brand, name, esim, rats: newest === '5G' ? ['3G', '4G', '5G'] : ['2G', '3G', '4G'],
    also: other === undefined ? [] : other.split(',').map((one) => `${one} ${name}`), note: note === undefined ? null : notes[note]!,
  })));
}
