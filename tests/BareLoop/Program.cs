// The smallest loop over the Lambda Runtime API that .NET's own HTTP client allows: take an invocation, answer "{}".
using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
var api = $"http://{Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API")}/2018-06-01/runtime/invocation/";
while (true)
{
    using var next = await http.GetAsync(new Uri(api + "next"));
    await next.Content.ReadAsByteArrayAsync();
    using var answer = new ByteArrayContent([.. "{}"u8]);
    using var accepted = await http.PostAsync(new Uri($"{api}{next.Headers.GetValues("Lambda-Runtime-Aws-Request-Id").Single()}/response"), answer);
}
