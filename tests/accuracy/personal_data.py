# ruff: noqa: SIM905 (lists of words read better as one text)
"""A seeded corpus of personal data as people say and type it, and of numbers that are nobody's.

A case is a template (what is said around) with a value in one of many forms. Half of the templates of each kind and
language, drawn by seed, were for tuning; the other half was only measured. A second group showed weaknesses that were
mended, a third one was written last. Of the innocent texts only that one is no tuning. Values are made up by the seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.language.redaction import luhn

LANGUAGES = ("en", "es")
SEED = 20


@dataclass(frozen=True)
class Case:
    """`text` (a turn a line) holds `value`, in `form`; `without` is the text without the value. `part` is `tuning`,
    `held out` or `later`."""

    kind: str
    language: str
    form: str
    part: str
    text: str
    value: str
    without: str


# --- templates: {v} is the value, a line is a turn; after "=" no word near tells what the number is
_TEMPLATES = {
    ("card", "en"): """
        My card number is {v}.
        Can I have your card number please?|Sure, it's {v}.
        I want to pay with my Visa, {v}, if that's okay.
        I'd like to use my Mastercard. The number is {v}, thanks
        Just to read that back, your card is {v}, is that correct?
        here's my credit card: {v}
        Could you read me the long number on the front of the card?|Yes of course. {v}
        What's the new card you'd like on file?|uh let me get it, okay it's {v}
        It was charged to {v} which is my debit card.
        Okay so the card I have on file is {v}, do you still use that one?
        And the credit card number?|one sec|ok ready|{v}
        please put it on my Amex {v} and send me the receipt
        =It's {v}, thank you.
        =hi {v} thats the one
        =Yes, go ahead.|Okay, {v}.
        =So that was {v}, did I get it right?
        """,
    ("card", "es"): """
        Mi número de tarjeta es {v}.
        ¿Me dice el número de su tarjeta, por favor?|Claro, es {v}.
        Quiero pagar con mi tarjeta Visa, {v}, por favor.
        le repito, su tarjeta es {v}, ¿correcto?
        La tarjeta de crédito que tengo es la {v} y no funciona
        Necesito el número largo de la tarjeta.|Sí, un momento, es el {v}
        mi tarjeta de débito: {v}
        ¿Con qué tarjeta va a pagar?|Con la {v}
        =Sí, es {v}, gracias.
        =Anoto. {v}. ¿Es correcto?
        =dígame|{v}
        =hola {v} ese es
        """,
    ("cvv", "en"): """
        the CVV is {v}
        And the security code?|{v}
        And the three digits on the back?|Uh, {v}.
        My security code is {v}, okay?
        Okay, and the CVC please.|It's {v}
        what is the code on the back of the card?|ok {v}
        So the security code is {v}, right?
        I think the CVV number is {v} but it is worn off
        expiration is March, cvv {v}
        I'll need the verification code from the card as well.|Sure. {v}.
        """,
    ("cvv", "es"): """
        el CVV es {v}
        ¿Y el código de seguridad?|Es {v}.
        El código de seguridad es {v}, ¿verdad?
        ¿Me da los tres dígitos de atrás?|Sí, {v}.
        el cvc de mi tarjeta es {v}
        Por último el código de verificación.|A ver, {v}
        los números de atrás de la tarjeta?|son {v}
        cvv: {v}
        """,
    ("ssn", "en"): """
        My social security number is {v}.
        Can I get your social please?|Yes, {v}.
        and your social security number for verification?|sure it's {v}
        I have your social as {v}, is that right?
        ssn {v}
        What is the social on the account?|It is {v}.
        My Social Security is {v} and my birthday is in May
        I need your full SSN to verify you.|Okay. {v}. Is that enough?
        You'd like my tax ID? {v}
        here is my social {v} please hurry
        """,
    ("ssn", "es"): """
        Mi número de seguro social es {v}.
        ¿Me da su seguro social?|Sí, es {v}.
        mi social es {v}
        Su número de seguridad social por favor.|Es el {v}
        el seguro social que tengo registrado es {v}, ¿es correcto?
        Para verificar, ¿su seguro social?|a ver, {v}
        mi ssn es {v}
        Le confirmo el seguro social, {v}
        """,
    ("email", "en"): """
        My email is {v}.
        What's a good email address for you?|It's {v}
        Can I get your email?|Sure, {v}.
        Please send the receipt to {v} when you can.
        I have {v} as your email, is that correct?
        you can write me at {v}
        The address on file is {v} right?
        and the email address you used to register?|I think I used {v}
        I never got it. My email address is {v}, can you check?
        Okay, so that's {v}.
        email: {v}
        Great, I'll send the confirmation to {v} right away.
        """,
    ("email", "es"): """
        Mi correo es {v}.
        ¿Cuál es su correo electrónico?|Es {v}
        Mándeme la factura a {v} por favor.
        El correo que tengo registrado es {v}, ¿es correcto?
        me puede escribir a {v}
        ¿Me da su email?|Sí, {v}.
        correo: {v}
        Le envío la confirmación a {v} ahora mismo.
        """,
    ("phone", "en"): """
        My phone number is {v}.
        What's the best number to reach you?|It's {v}.
        You can call me back at {v}.
        Can I have a callback number in case we get disconnected?|Yeah, {v}.
        I'm calling from {v} and I can't get through.
        my cell is {v}
        So the phone number on file is {v}, correct?
        Text me at {v} please
        Please call my husband, his number is {v}.
        I tried your line {v} twice today.
        the mobile I have for you is {v}
        What telephone number is the service under?|uh, {v}
        """,
    ("phone", "es"): """
        Mi teléfono es {v}.
        ¿A qué número lo puedo llamar?|Al {v}.
        mi celular es {v}
        Me puede llamar al {v} por la tarde.
        ¿Me da un número de contacto?|Sí, es el {v}.
        Le confirmo el móvil, {v}, ¿es correcto?
        El número de teléfono de mi esposa es {v}.
        estoy llamando desde el {v}
        """,
    ("account", "en"): """
        My account number is {v}.
        Can I have your account number?|Yes, it's {v}.
        the account I'm calling about is {v}
        Do you have your account number handy?|let me see|ok, {v}
        I see account {v} here, is that the one?
        It's for customer number {v}.
        What's the routing number?|{v}
        my membership number is {v}, can you look it up?
        Please transfer it to account number {v}.
        And the checking account?|That one is {v}.
        """,
    ("account", "es"): """
        Mi número de cuenta es {v}.
        ¿Me da su número de cuenta?|Sí, es {v}.
        la cuenta es {v}
        Llamo por la cuenta {v}.
        Su número de cliente por favor.|Es el {v}.
        mi número de socio es {v}
        Haga la transferencia a la cuenta {v}, gracias.
        ¿Cuál es la cuenta?|a ver, {v}
        """,
    ("iban", "en"): """
        My IBAN is {v}.
        Please send the refund to {v}.
        What's the IBAN?|It's {v}.
        the bank account is {v} at my local branch
        iban: {v}
        I gave you {v} last week as my bank details.
        """,
    ("iban", "es"): """
        Mi IBAN es {v}.
        Haga el reembolso a {v} por favor.
        ¿Me da el IBAN?|Sí, {v}.
        la cuenta es {v}
        iban {v}
        Tengo domiciliado el recibo en {v}.
        """,
    ("policy", "en"): """
        My policy number is {v}.
        Can I get the policy number?|Yes, it's {v}.
        It's about policy {v}.
        What is your policy number?|one moment|{v}
        I see policy {v} is up for renewal.
        the policy is {v}, under my name
        """,
    ("policy", "es"): """
        Mi número de póliza es {v}.
        ¿Me da el número de póliza?|Sí, es {v}.
        llamo por la póliza {v}
        La póliza es {v}, a mi nombre.
        ¿Cuál es su póliza?|a ver, es la {v}
        Veo que la póliza {v} vence pronto.
        """,
}

# Written when the others were done; what they showed was mended, so that they are for tuning now.
_SECOND = {
    ("card", "en"): """
        Which card should I put the forty dollar fee on?|Use this one, {v}.
        so the digits on my Discover card are {v}
        I typed in {v} and it says invalid card
        let me give you another card number then|sure go ahead|{v}
        """,
    ("card", "es"): """
        Anote la tarjeta: {v}.
        ¿Me repite la tarjeta, por favor?|Le repito, {v}
        Puse {v} y me dice tarjeta no válida
        """,
    ("cvv", "en"): """
        and the little code on the back of it is {v}
        Last thing, your CVV?|that's {v}
        what's the security code|oh {v}
        """,
    ("cvv", "es"): """
        el código de seguridad de la tarjeta termina siendo {v}
        ¿cvv?|{v}
        ¿Qué código de seguridad tiene?|Tiene el {v}
        """,
    ("ssn", "en"): """
        For security, what's your Social Security number?|I guess that's {v}
        the SSN you have for my wife should be {v}
        Verify the social for me please|{v}
        """,
    ("ssn", "es"): """
        El seguro social de mi esposo es {v}
        ¿Cuál es su número de seguro social completo?|Es este, {v}
        """,
    ("email", "en"): """
        Could you spell your email for me?|Yes so {v}
        My husband's email is {v}, use that one instead.
        I'm not receiving anything at {v} anymore.
        """,
    ("email", "es"): """
        ¿A qué correo se lo mando?|A {v}, por favor
        No me llega nada a {v}
        Apunte mi correo, {v}
        """,
    ("phone", "en"): """
        If we get cut off you can reach me on {v}
        Is this still a good phone number for you, {v}?
        the number I was texted from was {v}
        """,
    ("phone", "es"): """
        Si se corta, márqueme al {v}
        ¿Sigue siendo su teléfono el {v}?
        mi número es el {v}
        """,
    ("account", "en"): """
        It's the savings account, {v}
        the account in question is {v} I believe
        can you look up account number {v} for me
        """,
    ("account", "es"): """
        La cuenta de ahorros es {v}
        ¿podría revisar la cuenta número {v}?
        """,
    ("iban", "en"): """
        Wire it to {v} please
        The IBAN on the form was {v}
        """,
    ("iban", "es"): """
        Mándelo al IBAN {v}
        ¿El IBAN sigue siendo {v}?
        """,
    ("policy", "en"): """
        I'm looking at the letter, it says policy number {v}
        Do you know the policy number?|I have it here, {v}
        """,
    ("policy", "es"): """
        En la carta dice número de póliza {v}
        Tengo una duda sobre mi póliza {v}
        """,
}
_SECOND_INNOCENT = {
    "en": """
        I was charged {price} dollars instead of {price} dollars.
        You owe ${big_price} as of {month} {day}.
        My package {tracking} shows delivered.
        The shipment number is {long_number}, can you find it?
        {long_number} is my order number.
        Booking reference {code}, for {spoken_digit} nights.
        My reservation number is {long_number}.
        Item {short_number} is out of stock until {month}.
        The part number on the box is {model}.
        Our hours are {hour} to {hour} on weekdays.
        The technician comes between {hour} and {hour} on the {ordinal}.
        I've had this phone for {spoken_digit} years.
        My account has been open since {month} {year}.
        I got {spoken_digit} emails and {quantity} texts about it.
        I was on hold for an hour and {quantity} minutes.
        The wifi drops every {quantity} minutes or so.
        It's a {floor} inch screen with {storage} gigs.
        We're a family of {spoken_digit}, {age}, {age} and {age} years old.
        I took flight {flight} on {date} and my bag is lost.
        We stayed in room {room} for {quantity} nights in {year}.
        Ship it to {house} Oak Drive, {city} {zip}.
        It was supposed to be {quantity} percent, not {quantity} percent.
        The firmware is {version} and the app is {version}.
        My card expires in {month} {year}.
        I made {spoken_digit} payments on my card this month.
        They took {price} dollars from my account on the {ordinal}.
        Call volume is high, the wait is {quantity} minutes.
        You can reach us from {hour} a.m. to {hour} p.m.
        Is it at target dot com or at walmart dot com?
        I saw it online at nike dot com last week.
        The code on the screen says {code}.
        It's about order {short_number} from {date}.
        I need {spoken_digit} or {spoken_digit} of those, size {floor}.
        Add {quantity} to the cart and take {quantity} out.
        The meter reads {thousands} right now.
        Each box weighs {quantity} pounds.
        I think it was nineteen {spoken_tens} when we moved in.
        We spent over {thousands} dollars last year.
        The monthly fee went from {price} dollars to {price} dollars.
        Take step one, then step two, then restart it.
        """,
    "es": """
        Me cobraron {price} euros en vez de {price} euros.
        El paquete {tracking} aparece entregado.
        {long_number} es mi número de pedido.
        La reserva número {long_number} para {spoken_digit} noches.
        El técnico viene entre las {hour} y las {hour}.
        Tengo este teléfono desde hace {spoken_digit} años.
        Mi cuenta está abierta desde {month} de {year}.
        Somos {spoken_digit}, de {age}, {age} y {age} años.
        La pantalla es de {floor} pulgadas.
        Mi tarjeta vence en {month} de {year}.
        Hice {spoken_digit} pagos con la tarjeta este mes.
        El pedido {short_number} del {date} no llegó.
        Pagamos {thousands} pesos el año pasado.
        La cuota subió de {price} a {price} euros.
        Quiero {spoken_digit} o {spoken_digit} de esos, talla {floor}.
        El contador marca {short_number}.
        Estuve {quantity} minutos esperando en la línea.
        Lo vi en línea en zara punto com.
        """,
}

# Written last; only what the e-mails and the last innocent English text showed was mended.
_LATER = {
    ("card", "en"): """
        You can charge it to my Visa card, that's {v}
        The card I'm holding right now says {v}
        okay the card number again|alright {v}
        """,
    ("card", "es"): """
        Tome nota del número de tarjeta, {v}
        Le doy otra tarjeta|dígame|es la {v}
        """,
    ("cvv", "en"): """
        I need the CVV as well|one second, {v}
        the security code for my card is {v}
        """,
    ("cvv", "es"): """
        Me falta el CVV.|Sí, {v}
        El código de seguridad dice {v}
        """,
    ("ssn", "en"): """
        May I have your social to pull up the file?|{v}
        They have my social security number wrong, it should be {v}
        """,
    ("ssn", "es"): """
        Dígame su seguro social.|{v}
        El número de seguro social correcto es {v}
        """,
    ("email", "en"): """
        You should have {v} on the account.
        Where do I send it?|{v} please
        """,
    ("email", "es"): """
        Debería tener {v} en la cuenta.
        ¿Adónde se lo envío?|A {v}
        """,
    ("phone", "en"): """
        My new cell number is {v} since last week.
        What number did you call from?|{v}
        """,
    ("phone", "es"): """
        Mi nuevo celular es el {v} desde ayer.
        ¿Desde qué número nos llama?|Desde el {v}
        """,
    ("account", "en"): """
        It says account number {v} at the top of the letter
        Which account is it?|The number is {v}
        """,
    ("account", "es"): """
        Arriba de la carta dice número de cuenta {v}
        ¿Qué cuenta es?|El número es {v}
        """,
    ("iban", "en"): """
        You can refund me at this IBAN, {v}
        """,
    ("iban", "es"): """
        Me puede devolver el dinero al IBAN {v}
        """,
    ("policy", "en"): """
        The renewal is for policy number {v}
        """,
    ("policy", "es"): """
        La renovación es de la póliza número {v}
        """,
}
_LATER_INNOCENT = {
    "en": """
        My invoice number {short_number} shows {big_price} dollars.
        The parcel was sent on {month} {day}, tracking number {tracking}.
        Purchase order {long_number} has {quantity} lines.
        The appointment moved from {time} to {time} on {date}.
        I've had the {model} since {year} and it cost {price} dollars.
        Please hold for {spoken_digit} or {spoken_digit} minutes.
        Your total today is ${price}, and you saved ${price}.
        It's {house} {street} Street, unit {room}, {city}.
        Please update to version {version} before {month} {day}.
        The temperature was {quantity} degrees for {spoken_digit} days.
        My daughter is {age} and my son is {age}.
        Gate {room}, flight {flight}, seat {seat}.
        Of the {quantity} items in the box only {spoken_digit} worked.
        Is there anything else on order {long_number}?
        I walked {spoken_digit} miles at {hour} at night.
        The error says {code} at line {short_number}.
        It costs {price} a month for {quantity} months.
        I ordered a size {floor} at macys dot com.
        """,
    "es": """
        La factura número {short_number} es de {big_price} euros.
        La cita pasó de las {time} a las {time} del {date}.
        Tengo el {model} desde {year}.
        Espere {spoken_digit} o {spoken_digit} minutos.
        Vuelo {flight}, asiento {seat}.
        De los {quantity} artículos solo {spoken_digit} funcionan.
        ¿Algo más sobre el pedido {long_number}?
        Cuesta {price} al mes durante {quantity} meses.
        Mi hija tiene {age} y mi hijo {age}.
        Actualice a la versión {version} antes del {day} de {month}.
        """,
}

INNOCENT = {
    "en": """
        I paid ${price} for it.
        The total comes to {price} dollars.
        It was {spoken_price} dollars and they charged me twice.
        Your bill this month is ${big_price}.
        order number {short_number}
        My order number is {long_number}.
        Can I have the order number?|Yes, it's {long_number}.
        the order ID is {long_number} and it has not shipped
        Your ticket number is {short_number}.
        I've opened case {long_number} for you.
        Your reference number is {ref}.
        The confirmation code is {code}.
        The tracking number is {tracking}.
        tracking says {ups}
        It was ordered on {date} and arrived on {date}.
        My appointment is on {month} {day} at {time}.
        Can you come at {spoken_time} on the {ordinal}?
        I've been a customer since {year}.
        I bought it in {month} {year}.
        I need {quantity} of them by {month} {day}.
        We ordered {quantity} boxes and got {quantity}.
        It takes {quantity} to {quantity} business days.
        I waited {quantity} minutes on hold.
        The zip code is {zip}.
        I live at {house} Maple Street, {city} {zip}.
        {house} West {street} Avenue, apartment {room}.
        We're in room {room} on floor {floor}.
        My flight is {flight} to Denver.
        Flight number {flight} leaves at {time} from gate {room}.
        I'm on version {version}.
        It's running version {version} build {short_number}.
        The model is {model}.
        I have the {model} and it won't turn on.
        Error code {code} keeps coming up.
        The serial starts with {code}.
        I have an iPhone {floor} with {storage} gigabytes.
        My internet speed is {storage} megabits.
        I was getting {quantity} percent off last year.
        my plan has {storage} minutes and {quantity} gigs
        Can you give me {quantity} seconds please?
        One moment please while I look that up.
        Between {quantity} and {quantity} people will be there.
        He is {age} years old and I'm {age}.
        I've called {spoken_digit} or {spoken_digit} times about this.
        It's the {ordinal} time I have called.
        Press {digit} for billing or {digit} for sales.
        Twenty four seven you said, right?
        There are {spoken_digit} of us, {spoken_digit} adults and {spoken_digit} kids.
        Size {floor} or size {floor}?
        We open from {hour} to {hour}, Monday to Friday.
        Two thousand {spoken_tens} was a good year.
        It was nineteen {spoken_tens}, I think.
        The balance on my account is ${big_price}.
        My card was declined for ${price}.
        I opened my account in {year}.
        I used my card {spoken_digit} times today.
        My credit card payment of {price} dollars did not go through.
        I added {quantity} phones to my account.
        I have {spoken_digit} cards with you and {spoken_digit} accounts.
        Does the card expire in {year}?
        Your policy covers up to {thousands} dollars.
        The deductible on the policy is {thousands} dollars.
        The limit on the card is ${thousands}.
        The interest rate is {rate} percent over {quantity} months.
        Please allow {quantity} hours for the phone to update.
        I called your phone line {quantity} times since {month} {day}.
        Look at {house} dot com deals at our website.
        We met at noon at the store on {street} street.
        You can find it at amazon dot com.
        I bought it at best buy dot com for {price} dollars.
        Look at our site at example dot com slash help.
        Follow us @shopsupport for more.
        The dimensions are {quantity} by {quantity} by {quantity} inches.
        It weighs {quantity} pounds and {floor} ounces.
        the item number is {short_number} in the catalog
        sku {code}
        Your points balance is {thousands} points.
        I drove {thousands} miles since {month}.
        The odometer shows {thousands} miles.
        She was born in {year}, so she's {age}.
        The meeting ID was on {date}.
        My seat is {seat} and my wife's is {seat}.
        Take exit {room} off route {floor}.
        The IP is {ip}.
        {thousands} square feet, {spoken_digit} bedrooms, built in {year}
        The PO number is {short_number}.
        Invoice {short_number} dated {date} for ${big_price}.
        One of the two, either one, for four people.
        I need to go over one or two things, okay? First of all, zero fees.
        """,
    "es": """
        Pagué {price} euros por eso.
        El total son ${big_price}.
        Me cobraron {spoken_price} pesos dos veces.
        Mi número de pedido es {long_number}.
        ¿Me da el número de pedido?|Sí, es {long_number}.
        el pedido {short_number} no ha llegado
        Su número de referencia es {ref}.
        El número de caso es {long_number}.
        El ticket es el {short_number}.
        El número de seguimiento es {tracking}.
        Lo pedí el {day} de {month} de {year}.
        La cita es el {date} a las {time}.
        A las {spoken_time} está bien.
        Soy cliente desde {year}.
        Necesito {quantity} unidades para el {day} de {month}.
        Tarda de {quantity} a {quantity} días hábiles.
        Esperé {quantity} minutos.
        El código postal es {zip}.
        Vivo en la calle Mayor {floor}, piso {digit}.
        Estamos en la habitación {room}.
        Mi vuelo es el {flight} a Madrid.
        Tengo la versión {version}.
        El modelo es {model}.
        Me sale el error {code}.
        Me descontaron el {quantity} por ciento.
        Mi plan tiene {quantity} gigas y {storage} minutos.
        Tiene {age} años.
        He llamado {spoken_digit} o {spoken_digit} veces.
        Marque {digit} para ventas o {digit} para soporte.
        Somos {spoken_digit} adultos y {spoken_digit} niños.
        Abrimos de {hour} a {hour}.
        El saldo de mi cuenta es de {big_price} euros.
        Abrí mi cuenta en {year}.
        Rechazaron mi tarjeta por {price} euros.
        El límite de la tarjeta es de {thousands} pesos.
        La póliza cubre hasta {thousands} euros.
        Tengo {spoken_digit} tarjetas con ustedes.
        La factura {short_number} es de ${price}.
        Uno de los dos, una para mí y otra para ella.
        El interés es de {rate} por ciento a {quantity} meses.
        Mide {quantity} por {quantity} centímetros.
        Lo compré en amazon punto com.
        Quiero una o dos, no más de tres.
        la talla {floor} o la {floor}
        Mi asiento es el {seat}.
        Faltan {quantity} segundos nada más.
        """,
}


# --- numbers as they are written and said
_EN = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
_EN += ["seventeen", "eighteen", "nineteen"]
_EN_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_ES = "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis".split()
_ES += "diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco".split()
_ES += "veintiséis veintisiete veintiocho veintinueve".split()
_ES_TENS = "- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()
_ES_HUNDREDS = "- ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos".split()
_ES_HUNDREDS += ["novecientos"]


def _digit(d: str, language: str, oh: bool = False) -> str:
    return ("oh" if oh and d == "0" else _EN[int(d)]) if language == "en" else _ES[int(d)]


def _pair(two: str, language: str) -> str:
    """Two digits as a speaker of pairs says them."""
    n = int(two)
    if two[0] == "0":
        return f"{_digit('0', language, oh=True)} {_digit(two[1], language)}"
    if language == "en":
        return _EN[n] if n < 20 else _EN_TENS[n // 10] + (f" {_EN[n % 10]}" if n % 10 else "")
    return _ES[n] if n < 30 else _ES_TENS[n // 10] + (f" y {_ES[n % 10]}" if n % 10 else "")


def _digits(number: str, language: str, oh: bool = False) -> str:
    return " ".join(_digit(d, language, oh) for d in number)


def _pairs(number: str, language: str) -> str:
    odd = _digit(number[0], language) + " " if len(number) % 2 else ""
    rest = number[len(number) % 2 :]
    return odd + " ".join(_pair(rest[i : i + 2], language) for i in range(0, len(rest), 2))


def _doubled(number: str, language: str) -> str:
    """Digit by digit, with "double" and "triple" where a digit repeats."""
    said, i = [], 0
    while i < len(number):
        run = 1
        while i + run < len(number) and number[i + run] == number[i] and run < (3 if language == "en" else 2):
            run += 1
        word = {1: "", 2: "double " if language == "en" else "doble ", 3: "triple "}[run]
        said.append(word + _digit(number[i], language))
        i += run
    return " ".join(said)


def _hundreds(three: str) -> str:
    """Three digits as Spanish says them: seiscientos doce."""
    if three[0] == "0":
        return _digits(three, "es")
    if three == "100":
        return "cien"
    rest = three[1:]
    tail = "" if rest == "00" else " " + (_ES[int(rest)] if rest[0] == "0" else _pair(rest, "es"))
    return _ES_HUNDREDS[int(three[0])] + tail


def _groups(number: str, sizes: tuple[int, ...]) -> list[str]:
    cut, at = [], 0
    for size in sizes:
        cut.append(number[at : at + size])
        at += size
    return [g for g in (*cut, number[at:]) if g]


def _card(random_: random.Random) -> tuple[str, list[str]]:
    """A number that passes the check, of any network, and how it is grouped."""
    prefix, length, sizes = random_.choice(
        [
            ("4", 16, (4, 4, 4)),
            ("4", 13, (4, 3, 3)),
            ("4", 19, (4, 4, 4, 4)),
            (str(random_.randint(51, 55)), 16, (4, 4, 4)),
            (str(random_.randint(2221, 2720)), 16, (4, 4, 4)),
            (random_.choice(["34", "37"]), 15, (4, 6)),
            (random_.choice(["6011", "65"]), 16, (4, 4, 4)),
            ("36", 14, (4, 6)),
            (str(random_.randint(3528, 3589)), 16, (4, 4, 4)),
            (random_.choice(["50", "67"]), random_.randint(13, 19), (4, 4, 4, 4)),
            ("62", random_.randint(16, 19), (4, 4, 4, 4)),
        ]
    )
    body = prefix + "".join(random_.choice("0123456789") for _ in range(length - 1 - len(prefix)))
    number = next(body + d for d in "0123456789" if luhn(body + d))
    return number, _groups(number, sizes)


TURN = "\n"  # between the pieces of a value that is given over several turns
_ACKS = {"en": ("okay", "mm-hmm", "got it", "yes, go ahead"), "es": ("vale", "ajá", "sí, adelante", "perfecto")}


def _split(pieces: list[str], language: str, random_: random.Random) -> str:
    return f"\n{random_.choice(_ACKS[language])}\n".join(pieces)


def _spoken_forms(groups: list[str], language: str, random_: random.Random) -> dict[str, str]:
    number = "".join(groups)
    then = "and then" if language == "en" else "y luego"
    um = "um" if language == "en" else "eh"
    sorry = "sorry" if language == "en" else "perdón"
    no = "no wait" if language == "en" else "no, espere"
    half = len(number) // 2
    wrong = str((int(number[half]) + 1) % 10)
    said = [_digits(g, language) for g in groups]
    forms = {
        "digit by digit": _digits(number, language, oh=random_.random() < 0.5),
        "digits, commas": ", ".join(_digits(number, language).split()),
        "digits in groups": ", ".join(said),
        "sentences": ". ".join(s.capitalize() for s in said),
        "pairs": _pairs(number, language),
        "double": _doubled(number, language),
        "fillers": f", {um}, ".join(said),
        "and then": f" {then} ".join(said),
        "correction": f"{_digits(number[:half] + wrong, language)}, {sorry}, {_digits(number[half:], language)}",
        "correction 2": f"{_digits(number[:half] + wrong, language)} {no}, {_digits(number[half:], language)}",
        "typed and said": " ".join(g if i % 2 else _digits(g, language) for i, g in enumerate(groups)),
        "spoken over turns": _split(said, language, random_),
        "hyphenated": "-".join(_digits(number, language).split()),
    }
    if language == "es":
        forms["hundreds"] = " ".join(
            _hundreds(number[i : i + 3]) if len(number[i : i + 3]) == 3 else _digits(number[i : i + 3], "es")
            for i in range(0, len(number), 3)
        )
    return forms


def _written_forms(groups: list[str], language: str, random_: random.Random) -> dict[str, str]:
    number = "".join(groups)
    return {
        "plain": number,
        "blanks": " ".join(groups),
        "hyphens": "-".join(groups),
        "dots": ".".join(groups),
        "sentences typed": ". ".join(groups),
        "commas": ", ".join(groups),
        "single digits": " ".join(number),
        "single digits, hyphens": "-".join(number),
        "typed over turns": _split(groups, language, random_),
    }


def _card_forms(language: str, random_: random.Random, context: bool) -> dict[str, str]:
    number, groups = _card(random_)
    forms = _written_forms(groups, language, random_) | _spoken_forms(groups, language, random_)
    forms["no-break blanks"] = "\u00a0".join(groups)
    if context:
        lost = number[:4] + number[6:]
        forms |= {
            "broken, sentences": ". ".join(_groups(lost, (4, 5))),
            "broken, commas": ", ".join(_groups(lost[:-2], (4, 4))),
            "broken, short": ". ".join(_groups(number[:11], (4, 3))),
            "last four": number[-4:],
            "last four spoken": _digits(number[-4:], language),
            "typos": " ".join([groups[0] + "x", *groups[1:]]),
            "double digits": _doubled(number[:4] + number[4] * 2 + number[6:], language),
        }
    else:  # without a word of context and without a check digit nothing tells that it is one
        for form in ("correction", "correction 2"):
            del forms[form]
    return forms


def _cvv_forms(language: str, random_: random.Random, context: bool) -> dict[str, str]:
    number = "".join(random_.choice("0123456789") for _ in range(random_.choice([3, 3, 4])))
    return {
        "plain": number,
        "single digits": " ".join(number),
        "commas": ", ".join(number),
        "spoken": _digits(number, language),
        "oh": _digits("0" + number[1:], language, oh=True),
        "pairs": _pairs(number, language),
        "sentences": ". ".join(number),
        "double": _doubled(number[0] * 2 + number[-1], language),
    }


def _ssn_forms(language: str, random_: random.Random, context: bool) -> dict[str, str]:
    area = random_.choice([n for n in range(100, 899) if n != 666])
    groups = [f"{area}", f"{random_.randint(1, 99):02}", f"{random_.randint(1, 9999):04}"]
    written, spoken = _written_forms(groups, language, random_), _spoken_forms(groups, language, random_)
    number = "".join(groups)
    return (
        written
        | spoken
        | {"last four": groups[2], "lost a digit": number[:8], "lost digits": f"{groups[0]}. {groups[2]}"}
    )


_MAILBOXES = ("maria", "jsmith", "quintanilla", "robert", "wendy", "zoltan", "garcia", "olivia", "tkhan", "beatriz")
_FAMILY = ("smith", "lopez", "nguyen", "carter", "ortega", "weber", "fischer", "romero")
_DOMAINS = ("gmail", "yahoo", "hotmail", "outlook", "acmetools", "protonmail", "icloud", "riverbank")


def _email_forms(language: str, random_: random.Random, context: bool) -> dict[str, str]:
    name, family, domain = random_.choice(_MAILBOXES), random_.choice(_FAMILY), random_.choice(_DOMAINS)
    number = str(random_.randint(2, 99))
    tld = random_.choice(["com", "net", "org", "co.uk", "com.mx", "es", "edu"])
    at, dot, under = ("at", "dot", "underscore") if language == "en" else ("arroba", "punto", "guion bajo")
    dash = "dash" if language == "en" else "guion"
    end = f" {dot} ".join(["", *tld.split(".")]).strip()
    spoken_number = _pairs(number, language) if len(number) > 1 else _digits(number, language)
    forms = {
        "typed": f"{name}.{family}{number}@{domain}.{tld}",
        "typed, plus": f"{name}+news@{domain}.{tld}",
        "typed, capitals": f"{name}_{family}@{domain}.{tld}".upper(),
        "typed, blanks": f"{name}{family} @ {domain} . {tld.split('.')[0]}",
        "typed, at": f"{name}.{family} {at} {domain}.{tld}",
        "typed, at 2": f"{name}{number} {at} {domain.capitalize()}.{tld}",
        "spoken": f"{name} {at} {domain} {end}",
        "spoken, dot": f"{name} {dot} {family} {at} {domain} {end}",
        "spoken, underscore": f"{name} {under} {family} {at} {domain} {end}",
        "spoken, number": f"{name} {spoken_number} {at} {domain} {end}",
        "spoken, typed number": f"{name}{family} {number} {at} {domain} {end}",
        "spelled": f"{' '.join(name)} {at} {domain} {end}",
        "spelled, hyphens": f"{'-'.join(name.upper())} {at} {domain}.{tld}",
        "spelled, commas": f"{', '.join(family)}, {at} {domain} {end}",
        "dash in the domain": f"{name} {at} {domain} {dash} {family} {end}",
        "commas around at": f"{name}, {at} {domain}, {end}",
        "capitals": f"{name.capitalize()} {at.capitalize()} {domain.capitalize()} {end}",
    }
    if context:
        forms |= {
            "two words": f"{name} {family} {at} {domain} {end}",
            "initial": f"{name[0]} {family} {at} {domain} {end}",
        }
    return forms


def _phone_forms(language: str, random_: random.Random, context: bool) -> dict[str, str]:
    def some(n: int) -> str:
        return "".join(random_.choice("0123456789") for _ in range(n))

    us = [str(random_.randint(201, 989)), str(random_.randint(200, 999)), some(4)]
    spain = [f"{random_.choice('67')}{some(2)}", some(3), some(3)]
    mexico = [random_.choice(["55", "33", "81"]), some(4), some(4)]
    forms = {
        "US brackets": f"({us[0]}) {us[1]}-{us[2]}",
        "US hyphens": "-".join(us),
        "US dots": ".".join(us),
        "US blanks": " ".join(us),
        "US plain": "".join(us),
        "US 1": "1-" + "-".join(us),
        "US 1 blanks": "1 " + " ".join(us),
        "US E.164": "+1" + "".join(us),
        "US +1 brackets": f"+1 ({us[0]}) {us[1]}-{us[2]}",
        "US sentences": ". ".join(us),
        "US commas": ", ".join(us),
        "UK London": f"020 {some(4)} {some(4)}",
        "UK mobile": f"07{some(3)} {some(6)}",
        "UK mobile plain": f"07{some(9)}",
        "UK +44": f"+44 7{some(3)} {some(6)}",
        "UK +44 (0)": f"+44 (0)20 {some(4)} {some(4)}",
        "ES blanks": " ".join(spain),
        "ES plain": "".join(spain),
        "ES pairs": f"{spain[0]} {spain[1][:2]} {spain[1][2]}{spain[2][0]} {spain[2][1:]}",
        "ES land line": f"91 {some(3)} {some(2)} {some(2)}",
        "ES +34": f"+34 {' '.join(spain)}",
        "ES 0034": f"0034{''.join(spain)}",
        "MX": " ".join(mexico),
        "MX plain": "".join(mexico),
        "MX +52": "+52 " + " ".join(mexico),
        "MX +52 1": "+521" + "".join(mexico),
        "7 digits": "-".join(us[1:]),
        "typed over turns": _split(us, language, random_),
    }
    groups = us if language == "en" else random_.choice([spain, mexico])
    return forms | _spoken_forms(groups, language, random_)


def _account_forms(language: str, random_: random.Random, context: bool) -> dict[str, str]:
    number = "".join(random_.choice("0123456789") for _ in range(random_.randint(6, 12)))
    groups = _groups(number, (3, 3, 3) if len(number) > 8 else (4,))
    forms = _written_forms(groups, language, random_) | _spoken_forms(groups, language, random_)
    return forms | {"last four": number[-4:], "zeros": "00" + number[2:], "letters": f"{number}A"}


def _iban_forms(language: str, random_: random.Random, context: bool) -> dict[str, str]:
    def some(n: int) -> str:
        return "".join(random_.choice("0123456789") for _ in range(n))

    country, body = random_.choice([("GB", "NWBK" + some(14)), ("DE", some(18)), ("ES", some(20)), ("FR", some(23))])
    rearranged = "".join(str(int(c, 36)) for c in body + country + "00")
    number = f"{country}{98 - int(rearranged) % 97:02}{body}"
    grouped = " ".join(number[i : i + 4] for i in range(0, len(number), 4))
    return {
        "plain": number,
        "blanks": grouped,
        "hyphens": grouped.replace(" ", "-"),
        "small letters": grouped.lower(),
        "small letters, plain": number.lower(),
        "spoken": " ".join(_digit(c, language) if c.isdigit() else c for c in number),
        "letters apart": " ".join([*number[:2], number[2:]]),
    }


def _policy_forms(language: str, random_: random.Random, context: bool) -> dict[str, str]:
    letters = "".join(random_.choice("ABCDHKLMPRTX") for _ in range(random_.randint(1, 3)))
    number = "".join(random_.choice("0123456789") for _ in range(random_.randint(5, 9)))
    return {
        "plain": number,
        "letters": letters + number,
        "hyphen": f"{letters}-{number}",
        "blank": f"{letters} {number}",
        "hyphens": f"{letters}-{number[:4]}-{number[4:]}",
        "slash": f"{number[:4]}/{number[4:]}",
        "spoken": f"{' '.join(letters)} {_digits(number, language)}",
        "spoken, commas": f"{', '.join(letters)}, {', '.join(_digits(number, language).split())}",
        "pairs": f"{' '.join(letters)} {_pairs(number, language)}",
    }


_FORMS = {
    "card": _card_forms,
    "cvv": _cvv_forms,
    "ssn": _ssn_forms,
    "email": _email_forms,
    "phone": _phone_forms,
    "account": _account_forms,
    "iban": _iban_forms,
    "policy": _policy_forms,
}


def templates(text: str, seed: str) -> list[tuple[str, str]]:
    """(template with a turn a line, its part); a shuffled half is held out."""
    found = _lines(text)
    random.Random(f"{SEED} {seed}").shuffle(found)
    return [(template, "tuning" if i % 2 else "held out") for i, template in enumerate(found)]


def _lines(text: str) -> list[str]:
    return [line.strip().replace("|", TURN) for line in text.strip().splitlines()]


def cases(repeats: int = 1) -> Iterator[Case]:
    """Every template with every form, `repeats` times with other values."""
    for (kind, language), text in _TEMPLATES.items():
        random_ = random.Random(f"{SEED} values {kind} {language}")
        second = [(template, "tuning") for template in _lines(_SECOND[kind, language])]
        later = [(template, "later") for template in _lines(_LATER[kind, language])]
        for template, part in [*templates(text, f"{kind} {language}"), *second, *later]:
            context, template = not template.startswith("="), template.removeprefix("=")
            for _ in range(repeats):
                for form, value in _FORMS[kind](language, random_, context).items():
                    without = template.replace("{v}", "")
                    yield Case(kind, language, form, part, template.replace("{v}", value), value, without)


# --- numbers that are nobody's
_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
}


def _innocent(slot: str, language: str, random_: random.Random) -> str:
    def some(n: int) -> str:
        return str(random_.randint(1, 9)) + "".join(random_.choice("0123456789") for _ in range(n - 1))

    letters = "".join(random_.choice("ABCDEFGHKLMNPRTX") for _ in range(3))
    n = random_.randint
    match slot:
        case "price":
            return random_.choice(
                [f"{n(1, 999)}", f"{n(1, 999)}.{n(0, 99):02}", f"{n(1, 9)},{n(100, 999)}.{n(0, 99):02}"]
            )
        case "big_price":
            return random_.choice([f"{n(1000, 99999)}", f"{n(1, 99)},{n(100, 999)}", f"{n(1000, 99999)}.{n(0, 99):02}"])
        case "spoken_price":
            return _pairs(some(2), language) if language == "en" else _hundreds(some(3))
        case "short_number":
            return some(n(4, 6))
        case "long_number":
            number = some(n(7, 12))
            return random_.choice([number, number, " ".join(_groups(number, (3, 3, 3))), _digits(number, language)])
        case "ref":
            return random_.choice([some(6), letters + some(5), f"{letters}-{some(4)}"])
        case "code":
            return random_.choice([letters + some(3), f"{letters[0]}{some(4)}", f"{some(3)}-{letters}"])
        case "tracking":
            return random_.choice([some(n(9, 12)), letters[:2] + some(9) + "US", f"{letters}{some(8)}"])
        case "ups":
            return "1Z" + letters + some(3) + some(10)
        case "date":
            d, m, y = n(1, 28), n(1, 12), n(2015, 2026)
            return random_.choice([f"{m:02}/{d:02}/{y}", f"{y}-{m:02}-{d:02}", f"{d}.{m}.{y}", f"{m}/{d}/{y % 100}"])
        case "month":
            return random_.choice(_MONTHS[language])
        case "day":
            return str(n(1, 28))
        case "time":
            return random_.choice([f"{n(1, 12)}:{n(0, 59):02}", f"{n(0, 23):02}:{n(0, 59):02}"])
        case "spoken_time":
            hour = n(1, 9)
            return f"{_digit(str(hour), language)} {_pair(random_.choice(['15', '30', '45', '20']), language)}"
        case "hour":
            return str(n(1, 12))
        case "ordinal":
            return random_.choice(["1st", "2nd", "3rd", "15th", "21st", "30th"])
        case "year":
            return str(n(1950, 2026))
        case "quantity":
            return str(n(1, 99))
        case "age":
            return str(n(2, 95))
        case "zip":
            return some(5) if random_.random() < 0.7 else f"{some(5)}-{some(4)}"
        case "house":
            return some(n(1, 4))
        case "city":
            return random_.choice(["Denver", "Springfield", "Austin"])
        case "street":
            return random_.choice(["4th", "12th", "Main", "42nd"])
        case "room":
            return some(n(2, 3))
        case "floor" | "digit":
            return some(1) if slot == "digit" else str(n(1, 15))
        case "flight":
            return random_.choice(["AA", "UA", "BA ", "IB", "AM "]) + some(n(2, 4))
        case "version":
            return ".".join(str(n(0, 20)) for _ in range(n(2, 4)))
        case "model":
            return random_.choice(
                [f"{letters[0]}{some(3)}", f"{letters}-{some(4)}", f"Galaxy S{n(8, 24)}", f"X{some(4)}"]
            )
        case "storage":
            return random_.choice(["64", "128", "256", "500", "1000"])
        case "spoken_digit":
            return _digit(str(n(2, 9)), language)
        case "spoken_tens":
            return _pair(str(n(20, 99)), language)
        case "thousands":
            return random_.choice([f"{n(1, 99)},{n(0, 999):03}", f"{n(1000, 99999)}"])
        case "rate":
            return f"{n(0, 29)}.{n(0, 99):02}"
        case "seat":
            return f"{n(1, 40)}{random_.choice('ABCDEF')}"
        case "ip":
            return ".".join(str(n(1, 254)) for _ in range(4))
    raise KeyError(slot)


def innocents(repeats: int = 10) -> Iterator[tuple[str, str, str]]:
    """(language, part, text) of numbers that identify nobody.

    A run of digits that fulfils a card's check by chance is none: one in ten does, and such a number goes.
    """
    for part, texts in (("tuning", INNOCENT), ("tuning", _SECOND_INNOCENT), ("later", _LATER_INNOCENT)):
        for language, text in texts.items():
            random_ = random.Random(f"{SEED} innocent {language} {part}")
            for template in _lines(text):
                for _ in range(repeats):
                    yield language, part, _filled(template, language, random_)


def _filled(template: str, language: str, random_: random.Random) -> str:
    pieces = template.split("{")
    filled = pieces[0]
    for piece in pieces[1:]:
        slot, _, rest = piece.partition("}")
        filled += _innocent(slot, language, random_) + rest
    return filled
