using System.Net;
using DigitalOcean.API.Models.Responses;

namespace DigitalOcean.API.Exceptions;

public class ApiException : Exception
{
    private readonly Error _error;

    public ApiException(HttpStatusCode statusCode, Error errorResponse) => (StatusCode, _error) = (statusCode, errorResponse);

    public HttpStatusCode StatusCode { get; private set; }

    public override string Message => StatusCode switch
    {
        HttpStatusCode.Unauthorized => "Access Denied",
        HttpStatusCode.NotFound => "Not Found",
        HttpStatusCode.TooManyRequests => "Rate Limit Exceeded",
        _ => $"{_error.Id} : {_error.Message}",
    };
}
