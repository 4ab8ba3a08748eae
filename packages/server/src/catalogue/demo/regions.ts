import type { LocalText } from '@yuanyou/contract';

/** A region of the demo catalogue; without `countries` it is the whole world. */
export interface DemoRegion {
  readonly code: string;
  readonly name: LocalText;
  readonly countries?: string;
  readonly also: readonly string[];
}

const region = (code: string, en: string, hans: string, hant: string, countries: string | undefined, also: string): DemoRegion => ({
  code, name: { en, 'zh-Hans': hans, 'zh-Hant': hant }, also: also === '' ? [] : also.split(','), ...(countries === undefined ? {} : { countries }),
});

export const demoRegions: readonly DemoRegion[] = [
  region('world', 'World', '全球', '全球', undefined, 'Global,Worldwide,International,世界,环球,環球'),
  region('europe', 'Europe', '欧洲', '歐洲',
    'AT BE CH CZ DE DK ES FI FR GB GR HU IE IT NL NO PL PT SE IS LU MT CY HR SI SK RO BG EE LV LT RS AL ME BA UA TR', 'EU,Euro,Schengen,欧盟,歐盟,申根'),
  region('nordics', 'Nordics', '北欧', '北歐', 'DK FI IS NO SE', 'Scandinavia,Nordic,斯堪的纳维亚'),
  region('balkans', 'Balkans', '巴尔干', '巴爾幹', 'AL BA BG HR ME RO RS SI GR', 'Balkan'),
  region('south-east-asia', 'South-East Asia', '东南亚', '東南亞', 'BN ID KH LA MY PH SG TH VN', 'Southeast Asia,SEA,ASEAN,东盟,東協'),
  region('singapore-malaysia-thailand', 'Singapore, Malaysia and Thailand', '新马泰', '新馬泰', 'MY SG TH', '泰新马,泰新馬,星馬泰'),
  region('japan-korea', 'Japan and South Korea', '日韩', '日韓', 'JP KR', 'Japan Korea,韩日,韓日'),
  region('hong-kong-macao', 'Hong Kong and Macao', '港澳', '港澳', 'HK MO', 'Hong Kong Macau'),
  region('china-hong-kong-macao-taiwan', 'Mainland China, Hong Kong, Macao and Taiwan', '中国大陆及港澳台', '中港澳台', 'CN HK MO TW', 'Greater China,大中华,大中華,两岸三地,兩岸三地'),
  region('asia-pacific', 'Asia-Pacific', '亚太', '亞太',
    'AU BD BN CN FJ HK ID IN JP KH KR LA LK MN MO MV MY NP NZ PH PK SG TH TW VN', 'Asia,APAC,Asia Pacific,亚洲,亞洲,亚太地区,亞太地區'),
  region('australia-new-zealand', 'Australia and New Zealand', '澳新', '紐澳', 'AU NZ', 'Oceania,ANZ,大洋洲,澳紐,纽澳'),
  region('central-asia-caucasus', 'Central Asia and Caucasus', '中亚及高加索', '中亞與高加索', 'GE KZ UZ', 'Central Asia,Caucasus,中亚,中亞,高加索'),
  region('north-america', 'North America', '北美', '北美', 'CA MX US', 'US Canada,美加,美加墨'),
  region('latin-america', 'Latin America', '拉丁美洲', '拉丁美洲', 'AR BR CL CO CR DO EC GT JM MX PA PE UY', 'South America,LATAM,南美,南美洲,中南美,拉美,加勒比'),
  region('gulf', 'Gulf', '海湾地区', '海灣地區', 'AE BH KW OM QA SA', 'GCC,波斯湾,波斯灣'),
  region('middle-east', 'Middle East', '中东', '中東', 'AE BH EG IL JO KW OM QA SA TR', 'Mideast'),
  region('africa', 'Africa', '非洲', '非洲', 'EG GH KE MA MU NG TN TZ ZA', 'Safari,东非,東非'),
];
