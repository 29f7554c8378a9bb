// Made once with Python's `cryptography`, an implementation that shares no code with ours; the private keys
// were thrown away. The claims of each token: iss https://issuer.example, aud bivouac, sub user-1, tenant
// demo, role CUSTOMER, iat and nbf 1700000000, exp 1700003600.
#pragma once

namespace bv::auth::golden {

// The bytes 0 to 31; key "hs" of the set.
inline constexpr char kSecretBase64Url[] = R"(AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8)";

// Keys "hs", "rs", "ps", "es", named after their algorithms.
inline constexpr char kJwkSet[] =
    R"({"keys":[{"kty":"oct","kid":"hs","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"},)"
    R"({"kty":"RSA","kid":"rs","alg":"RS256","use":"sig","n":"4GYaKulpkHho-UrhNuG12IsXCbbfsJwiVwIE4zQF-DY)"
    R"(ciVJxJX3wIzPfcTPQfEPGFrZunTXVpwCSxHA5rEeEPfRHq87q3KFooGDAgXreu-Y-QXbegxpy9GZvnIe5GCUKHfxNDrPbfmo7d)"
    R"(1HO1_tVjqUlS_fo4C1PZjp14x6C4E1lxYFXpTgz0cPLYZYDyK8yWbl10VVR_Vry1D_fy7BsgELJ0Bbp1sYknJDz2Yv6c5vJalE)"
    R"(SP02tmLocD5tBVlAzAL8siXYFrQqgSaQPepnl5cDZiNUEjFp9NjSw5G4qErIKtlrTkSSxjmtFL3Lz01Tmr42tiqyJ-mVUllhHE)"
    R"(R6CHw","e":"AQAB"},{"kty":"RSA","kid":"ps","alg":"PS256","use":"sig","n":"4GYaKulpkHho-UrhNuG12IsX)"
    R"(CbbfsJwiVwIE4zQF-DYciVJxJX3wIzPfcTPQfEPGFrZunTXVpwCSxHA5rEeEPfRHq87q3KFooGDAgXreu-Y-QXbegxpy9GZvnI)"
    R"(e5GCUKHfxNDrPbfmo7d1HO1_tVjqUlS_fo4C1PZjp14x6C4E1lxYFXpTgz0cPLYZYDyK8yWbl10VVR_Vry1D_fy7BsgELJ0Bbp)"
    R"(1sYknJDz2Yv6c5vJalESP02tmLocD5tBVlAzAL8siXYFrQqgSaQPepnl5cDZiNUEjFp9NjSw5G4qErIKtlrTkSSxjmtFL3Lz01)"
    R"(Tmr42tiqyJ-mVUllhHER6CHw","e":"AQAB"},{"kty":"EC","kid":"es","alg":"ES256","crv":"P-256","x":"gRKs)"
    R"(VYf5GqNS3wOsRKPTvpmANpVR2SIgWSSoCD0rC0w","y":"iFbHgkiRPwDEJ25MZZ5GSmsjCDF2DZYPVKrWUClgNWY"}]})";

// The public key "rs" as a file holds it: what an attacker would take as an HMAC secret.
inline constexpr char kRsaPublicPem[] = R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4GYaKulpkHho+UrhNuG1
2IsXCbbfsJwiVwIE4zQF+DYciVJxJX3wIzPfcTPQfEPGFrZunTXVpwCSxHA5rEeE
PfRHq87q3KFooGDAgXreu+Y+QXbegxpy9GZvnIe5GCUKHfxNDrPbfmo7d1HO1/tV
jqUlS/fo4C1PZjp14x6C4E1lxYFXpTgz0cPLYZYDyK8yWbl10VVR/Vry1D/fy7Bs
gELJ0Bbp1sYknJDz2Yv6c5vJalESP02tmLocD5tBVlAzAL8siXYFrQqgSaQPepnl
5cDZiNUEjFp9NjSw5G4qErIKtlrTkSSxjmtFL3Lz01Tmr42tiqyJ+mVUllhHER6C
HwIDAQAB
-----END PUBLIC KEY-----
)";

// 1,024 bits.
inline constexpr char kWeakRsaJwk[] =
    R"({"kty":"RSA","kid":"weak","alg":"RS256","use":"sig","n":"tVtzFirlmqknnwvStNS1qZjzNhKZmL4p4m5WY5ZPn)"
    R"(pjddgfjSkSuQC_4-QoAX4ts_Hy2HSS4Teq9dVdMqQyfU6tY7JjIiiXLEAvAwesGb2HEHAHHp4m2XZyzweG8COjOSzApPeoHSSG)"
    R"(0TmfXzlFzURNI3KR5VdgAybg4ViZ2B4M","e":"AQAB"})";

inline constexpr char kHs256Token[] =
    R"(eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImhzIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYX)"
    R"(VkIjoiYml2b3VhYyIsInN1YiI6InVzZXItMSIsInRlbmFudCI6ImRlbW8iLCJyb2xlIjoiQ1VTVE9NRVIiLCJpYXQiOjE3MDAw)"
    R"(MDAwMDAsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwLCJqdGkiOiIxIn0.A2J2lMBHg9jiAmrPiSMprPNTkwEdj-)"
    R"(AftdT4Nnw6yhQ)";

inline constexpr char kRs256Token[] =
    R"(eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYX)"
    R"(VkIjoiYml2b3VhYyIsInN1YiI6InVzZXItMSIsInRlbmFudCI6ImRlbW8iLCJyb2xlIjoiQ1VTVE9NRVIiLCJpYXQiOjE3MDAw)"
    R"(MDAwMDAsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwLCJqdGkiOiIxIn0.fOXMt-rsDZUhi-Gihj2PvMYzBPT-ie)"
    R"(S5VuN1pkfqk0humrccpEijY0AtHFba94_bGMJSxctCoZFLtYUuXVDhSpBBzOPTRTPXd5RIad0m-UlAdmGn11hSfKnedO3T8eUs)"
    R"(hQ1THvKPjgLXkCjWenZ79-RKj3kwyX4VgbcUHKj7Vcv-mSvJ0kr-I_2UUq--Gc52v70-8bJJj7z6qxTmJN1bnv2YEDDsoCjjej)"
    R"(AIV9HV5b3Rpa60sv5iOlC5_6MzBP8mlSdpEDO_09-EeMzx5SgM8yFUGOhTtCAqX-wDKEAajrxyR4ZhQh1cr18EJPsoncv3s8D9)"
    R"(eLJnD-3r6f-7d2hq9w)";

inline constexpr char kPs256Token[] =
    R"(eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InBzIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYX)"
    R"(VkIjoiYml2b3VhYyIsInN1YiI6InVzZXItMSIsInRlbmFudCI6ImRlbW8iLCJyb2xlIjoiQ1VTVE9NRVIiLCJpYXQiOjE3MDAw)"
    R"(MDAwMDAsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwLCJqdGkiOiIxIn0.GJSnP4VyBckXyEhJ2kjWDO0dyn7GfH)"
    R"(AhpFYP9QM1knr_53vePZ3OvDjKpBRCliyxpgugoSxUo1x6jvX8uqOMVz_CH6wLsjpSmYra-erXizgJuInpYUwzO6pyI9XvJBXI)"
    R"(rgJ3DP87iofBCx1PJI3tbf5u2BnPC2pBDS__-hGgNsUMnjac2PAyqCNJJYWULeHYn145nrbwI9ZcZLsVj4awvBGTeEndH32UIm)"
    R"(KNNRPqkNXNmJX6-P0Hc6qu7abKE2NRubQwVkyr1l3FCv7M3of75hpPlrcROE3UKbu0y10TZtpunWrWhES6UzaPgQFyrrlagUcl)"
    R"(Tnn30VmUFKCImKYiGQ)";

inline constexpr char kEs256Token[] =
    R"(eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVzIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYX)"
    R"(VkIjoiYml2b3VhYyIsInN1YiI6InVzZXItMSIsInRlbmFudCI6ImRlbW8iLCJyb2xlIjoiQ1VTVE9NRVIiLCJpYXQiOjE3MDAw)"
    R"(MDAwMDAsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwLCJqdGkiOiIxIn0.FTXRzPYUnrUm_apxBz_9eQF71onNYm)"
    R"(f-sMmAgkrq5-XWO2pH3bilx9PXjL6qVO8uI87KQ3yvZ5L4nzqmhQDr9g)";

}  // namespace bv::auth::golden
